//! One-time codes in Postgres.

use app::ports::{Challenge, Challenges, StoreError};
use chrono::TimeDelta;
use domain::Timestamp;
use embedded::EmbeddedChallenges;
use test_support::TestDatabase;
use uuid::Uuid;

/// Challenges with the database that they live in.
struct World {
    challenges: EmbeddedChallenges,
    _database: TestDatabase,
}

#[async_trait::async_trait]
impl Challenges for World {
    async fn put(&self, key: &str, challenge: &Challenge) -> Result<(), StoreError> {
        self.challenges.put(key, challenge).await
    }

    async fn attempt(&self, key: &str, most: u32, now: Timestamp) -> Result<Option<Challenge>, StoreError> {
        self.challenges.attempt(key, most, now).await
    }

    async fn take(&self, key: &str, id: Uuid) -> Result<bool, StoreError> {
        self.challenges.take(key, id).await
    }
}

async fn world() -> World {
    let database = TestDatabase::create(&embedded::migrator()).await;
    World { challenges: EmbeddedChallenges::new(database.pool().clone()), _database: database }
}

app::challenges_suite!(world());

#[tokio::test]
async fn what_is_over_is_forgotten_and_nothing_else() {
    let World { challenges, _database } = world().await;
    let noon = Timestamp::from_timestamp(1_800_000_000, 0).unwrap();
    for minutes in [5, 6] {
        let challenge = Challenge {
            id: Uuid::nil(),
            mac: [1; 32],
            purpose: "login".to_owned(),
            expires_at: noon + TimeDelta::minutes(minutes),
            ip: None,
            user_agent: None,
        };
        challenges.put(&minutes.to_string(), &challenge).await.unwrap();
    }
    assert_eq!(challenges.forget_ended(noon + TimeDelta::minutes(5)).await.unwrap(), 1);
    assert!(challenges.attempt("6", 5, noon).await.unwrap().is_some());
    assert!(challenges.attempt("5", 5, noon).await.unwrap().is_none());
}
