//! Who of a team has how many calls under way, where it may have only so many at a time, as rows.

use app::ports::{SlotBook, SlotWish, Slots, StepSlots, StoreError};
use async_trait::async_trait;
use domain::{TeamId, Timestamp};
use sqlx::{query, query_scalar, types::Json};

use crate::{EmbeddedAdmissions, error::unavailable};

impl EmbeddedAdmissions {
    /// Changes the book of a team in its table `embedded.step_slots`, while others that would change it wait.
    async fn keep_book<T: Send>(
        &self,
        team: TeamId,
        change: impl FnOnce(&mut SlotBook) -> T + Send,
    ) -> Result<T, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        query("insert into embedded.step_slots (team_id) values ($1) on conflict do nothing")
            .bind(team.uuid())
            .execute(&mut *transaction)
            .await?;
        let Json(mut book): Json<SlotBook> =
            query_scalar("select book from embedded.step_slots where team_id = $1 for update")
                .bind(team.uuid())
                .fetch_one(&mut *transaction)
                .await?;
        let answer = change(&mut book);
        query("update embedded.step_slots set book = $2 where team_id = $1")
            .bind(team.uuid())
            .bind(Json(book))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(answer)
    }
}

#[async_trait]
impl StepSlots for EmbeddedAdmissions {
    async fn take(
        &self,
        team: TeamId,
        wish: &SlotWish,
        limit: u32,
        now: Timestamp,
    ) -> Result<Slots, StoreError> {
        let taken = self.keep_book(team, |book| book.take(wish, limit, now));
        taken.await.map_err(unavailable("take slots for calls"))
    }

    async fn give_back(&self, team: TeamId, holder: &str, _held: u32, kept: u32) -> Result<(), StoreError> {
        let given = self.keep_book(team, |book| book.give_back(holder, kept));
        given.await.map_err(unavailable("give slots for calls back"))
    }
}
