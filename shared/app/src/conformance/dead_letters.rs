//! Rules of dead letters, of a queue that buries a message that was received three times.

use std::{collections::BTreeSet, time::Duration};

use domain::{Priority, RunId, TeamId};

use crate::{
    fakes::team,
    ports::{DeadLetter, DeadLetters, Hint, Redrive, StepInbox, StepQueue},
};

/// Longer than any queue takes to bring what is due.
const PATIENCE: Duration = Duration::from_secs(15);

/// A queue from end to end.
pub trait MortalQueue: StepQueue + StepInbox + DeadLetters {}

impl<Q: StepQueue + StepInbox + DeadLetters> MortalQueue for Q {}

/// Sends a hint, and fails to handle it until it is dead.
async fn bury(queue: &dyn MortalQueue, team_id: TeamId, node: &str) -> Hint {
    let (run_id, priority) = (RunId::new(team().uuid()), Priority::Low);
    let hint = Hint { run_id, team_id, node: Some(node.into()), priority };
    queue.send(&[(hint.clone(), 0)]).await.unwrap();
    for _ in 0..3 {
        let received = queue.receive(1, PATIENCE).await.unwrap();
        queue.release(&received[0].receipt, 0).await.unwrap();
    }
    assert_eq!(queue.receive(1, Duration::ZERO).await.unwrap(), []);
    hint
}

async fn letters(queue: &dyn MortalQueue, team: TeamId) -> Vec<DeadLetter> {
    let page = queue.list(team, 10).await.unwrap();
    assert!(page.is_complete);
    page.items
}

fn ids(letters: &[DeadLetter]) -> BTreeSet<String> {
    letters.iter().map(|letter| letter.id.clone()).collect()
}

pub async fn a_letter_is_seen_by_its_team_only(queue: &dyn MortalQueue) {
    let (ours, theirs) = (team(), team());
    let hint = bury(queue, ours, "poison").await;
    bury(queue, theirs, "other").await;
    let found = letters(queue, ours).await;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].run_id, &found[0].node), (hint.run_id, &hint.node));
    assert!(found[0].receive_count >= 3, "{found:?}");
    assert!(found[0].died_on.is_none_or(|died_on| died_on >= found[0].sent_on), "{found:?}");
    assert_eq!(letters(queue, theirs).await.len(), 1);
    assert_eq!(letters(queue, team()).await, []);
}

pub async fn looking_takes_nothing_away(queue: &dyn MortalQueue) {
    let ours = team();
    for node in ["a", "b"] {
        bury(queue, ours, node).await;
    }
    let first = ids(&letters(queue, ours).await);
    assert_eq!((first.len(), &first), (2, &ids(&letters(queue, ours).await)));
}

pub async fn a_list_says_whether_it_is_complete(queue: &dyn MortalQueue) {
    let ours = team();
    for node in ["a", "b", "c"] {
        bury(queue, ours, node).await;
    }
    for (limit, is_complete) in [(2, false), (3, true)] {
        let page = queue.list(ours, limit).await.unwrap();
        assert_eq!((page.items.len(), page.is_complete), (limit as usize, is_complete));
    }
}

pub async fn a_redriven_letter_is_a_new_message(queue: &dyn MortalQueue) {
    let ours = team();
    let hint = bury(queue, ours, "poison").await;
    let id = letters(queue, ours).await.remove(0).id;
    let redriven = queue.redrive(ours, &Redrive::Only(vec![id.clone()])).await.unwrap();
    assert_eq!(redriven, std::slice::from_ref(&id));
    assert_eq!(letters(queue, ours).await, []);
    let received = queue.receive(1, PATIENCE).await.unwrap();
    assert_eq!((&received[0].hint, received[0].receive_count), (&hint, 1));
    let again = queue.redrive(ours, &Redrive::Only(vec![id])).await.unwrap();
    assert_eq!(again, Vec::<String>::new());
}

pub async fn nobody_redrives_anothers_letters(queue: &dyn MortalQueue) {
    let (ours, theirs) = (team(), team());
    bury(queue, ours, "poison").await;
    let id = letters(queue, ours).await.remove(0).id;
    for which in [Redrive::Only(vec![id.clone()]), Redrive::All] {
        assert_eq!(queue.redrive(theirs, &which).await.unwrap(), Vec::<String>::new());
    }
    for nonsense in ["", "x", "01961234-5678-7abc-8def-0123456789ab"] {
        let redriven = queue.redrive(ours, &Redrive::Only(vec![nonsense.to_owned()])).await.unwrap();
        assert_eq!(redriven, Vec::<String>::new(), "{nonsense:?}");
    }
    assert_eq!(queue.redrive(ours, &Redrive::Only(vec![])).await.unwrap(), Vec::<String>::new());
    assert_eq!(letters(queue, ours).await.len(), 1);
}

pub async fn all_are_all_of_the_team(queue: &dyn MortalQueue) {
    let (ours, theirs) = (team(), team());
    for node in ["a", "b"] {
        bury(queue, ours, node).await;
    }
    bury(queue, theirs, "c").await;
    let expected = ids(&letters(queue, ours).await);
    let redriven: BTreeSet<_> = queue.redrive(ours, &Redrive::All).await.unwrap().into_iter().collect();
    assert_eq!((redriven.len(), redriven), (2, expected));
    assert_eq!(letters(queue, ours).await, []);
    assert_eq!(letters(queue, theirs).await.len(), 1);
}
