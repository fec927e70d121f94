//! Answers that are given again, in Postgres.

use app::ports::{ANSWER_AWAITED, Begun, KeptAnswers};
use domain::Timestamp;
use embedded::EmbeddedAnswers;
use test_support::TestDatabase;

/// Answers with the database that they live in.
async fn world() -> (EmbeddedAnswers, TestDatabase) {
    let database = TestDatabase::create(&embedded::migrator()).await;
    (EmbeddedAnswers::new(database.pool().clone()), database)
}

const fn answers_of(world: &(EmbeddedAnswers, TestDatabase)) -> &EmbeddedAnswers {
    &world.0
}

app::kept_answers_suite!(world(), answers_of);

#[tokio::test]
async fn what_is_over_is_forgotten_and_nothing_else() {
    let (answers, _database) = world().await;
    let now = Timestamp::UNIX_EPOCH;
    answers.begin("a", [1; 32], now).await.unwrap();
    answers.begin("b", [1; 32], now + ANSWER_AWAITED).await.unwrap();
    assert_eq!(answers.forget_ended(now + ANSWER_AWAITED).await.unwrap(), 1);
    assert_eq!(answers.begin("b", [1; 32], now + ANSWER_AWAITED).await.unwrap(), Begun::UnderWay);
}
