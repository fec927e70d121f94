//! The step queue: the rules of its port, and what it promises beyond them.

use std::{sync::Arc, time::Duration};

use app::{
    conformance::step_queue as rules,
    fakes::team,
    ports::{DeadLetters as _, Hint, Redrive, StepInbox as _, StepQueue as _},
};
use domain::{Priority, RunId};

use crate::support::{IMPATIENT, World, open};

mod conformance {
    use embedded::EmbeddedStepQueue;

    use crate::support::World;

    fn queue(world: &World) -> &EmbeddedStepQueue {
        &world.embedded.queue
    }

    app::step_queue_suite!(World::new(), queue);
    app::dead_letters_suite!(World::new(), queue);
}

fn hint() -> Hint {
    Hint { run_id: RunId::new(team().uuid()), team_id: team(), node: None, priority: Priority::Default }
}

#[tokio::test]
async fn teams_take_turns() {
    let world = World::new().await;
    rules::teams_take_turns(&*world.embedded.queue).await;
}

#[tokio::test]
async fn a_class_goes_before_the_next_and_teams_take_turns_in_it() {
    let world = World::new().await;
    rules::a_class_goes_before_the_next_and_teams_take_turns_in_it(&*world.embedded.queue).await;
}

#[tokio::test]
async fn no_class_starves() {
    let world = World::new().await;
    rules::no_class_starves(&*world.embedded.queue).await;
}

#[tokio::test]
async fn an_idle_worker_gets_a_message_as_it_is_sent() {
    let world = World::new().await;
    let workers = world.embedded.workers.clone();
    let (sent, waiting) = (hint(), tokio::spawn(async move { workers.next().await }));
    // The worker has offered itself once it has been polled.
    tokio::task::yield_now().await;
    world.embedded.queue.send(&[(sent.clone(), 0)]).await.unwrap();
    // Nobody looks through the queue here: it was handed over.
    let delivered = waiting.await.unwrap();
    assert_eq!((&delivered.hint, delivered.receive_count), (&sent, 1));
    let hidden = world.embedded.queue.receive(1, Duration::ZERO).await.unwrap();
    assert_eq!(hidden, [], "to others it is received");
    let again = world.embedded.queue.receive(1, Duration::from_secs(10)).await.unwrap();
    assert_eq!((again[0].receive_count, &again[0].id), (2, &delivered.id), "it was not done");
}

#[tokio::test]
async fn workers_get_what_waits_what_is_delayed_and_what_another_process_sends() {
    let world = World::new().await;
    let early = hint();
    world.embedded.queue.send(&[(early.clone(), 0)]).await.unwrap();

    let mut worker = open(&world.database, IMPATIENT).await;
    worker.start();
    assert_eq!(worker.workers.next().await.hint, early);
    let (late, foreign) = (hint(), hint());
    worker.queue.send(&[(late.clone(), 1)]).await.unwrap();
    assert_eq!(worker.workers.next().await.hint, late);
    world.embedded.queue.send(&[(foreign.clone(), 0)]).await.unwrap();
    assert_eq!(worker.workers.next().await.hint, foreign);
}

#[tokio::test]
async fn many_workers_handle_every_message_once() {
    let mut world = World::new().await;
    world.embedded.start();
    let sent: Vec<_> = (0..200).map(|_| (hint(), 0)).collect();
    let (handled, mut received) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..8 {
        let (workers, queue) = (world.embedded.workers.clone(), Arc::clone(&world.embedded.queue));
        let handled = handled.clone();
        tokio::spawn(async move {
            loop {
                let message = workers.next().await;
                queue.done(&message.receipt).await.unwrap();
                let _ = handled.send(message.hint);
            }
        });
    }
    for some in sent.chunks(7) {
        world.embedded.queue.send(some).await.unwrap();
    }
    let mut arrived = Vec::new();
    while arrived.len() < sent.len() {
        arrived.push(received.recv().await.unwrap());
    }
    assert!(sent.iter().all(|(hint, _)| arrived.contains(hint)));
}

#[tokio::test]
async fn a_redriven_letter_wakes_a_worker() {
    let mut world = World::new().await;
    let queue = Arc::clone(&world.embedded.queue);
    rules::a_message_that_was_received_too_often_is_not_received_again(&*queue).await;
    let owner: uuid::Uuid = sqlx::query_scalar("select team_id from embedded.dead_letters")
        .fetch_one(world.database.pool())
        .await
        .unwrap();
    world.embedded.start();
    let workers = world.embedded.workers.clone();
    let waiting = tokio::spawn(async move { workers.next().await });
    let redriven = queue.redrive(owner.into(), &Redrive::All).await.unwrap();
    let delivered = waiting.await.unwrap();
    assert_eq!((redriven, delivered.receive_count), (vec![delivered.id], 1));
}

#[tokio::test]
async fn the_messages_of_a_dead_process_are_free_long_before_their_timeout() {
    let patient = embedded::QueueOptions { visibility: Duration::from_mins(10), max_receives: 3 };
    let world = World::with(patient).await;
    let sent = hint();
    world.embedded.queue.send(&[(sent.clone(), 0)]).await.unwrap();
    let doomed = open(&world.database, patient).await;
    assert_eq!(doomed.queue.receive(1, Duration::from_secs(10)).await.unwrap().len(), 1);
    drop(doomed);
    let freed = world.embedded.queue.receive(1, Duration::from_secs(20)).await.unwrap();
    assert_eq!((&freed[0].hint, freed[0].receive_count), (&sent, 2));
}

#[tokio::test]
async fn what_was_received_too_often_lies_with_the_dead_letters() {
    let world = World::new().await;
    rules::a_message_that_was_received_too_often_is_not_received_again(&*world.embedded.queue).await;
    let dead: Vec<(Option<String>, i32)> =
        sqlx::query_as("select node, receive_count from embedded.dead_letters")
            .fetch_all(world.database.pool())
            .await
            .unwrap();
    assert_eq!(dead, [(Some("poison".to_owned()), 3)]);
    let left: i64 = sqlx::query_scalar("select count(*) from embedded.messages")
        .fetch_one(world.database.pool())
        .await
        .unwrap();
    assert_eq!(left, 0);
}
