//! Which teams are to be looked at for runs whose time is over. Each gets its turn, however many runs another one has.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use app::ports::{Retention, RetentionPolicies, StoreError};
use chrono::TimeDelta;
use domain::Timestamp;

/// How often every team is looked at. Retention counts in days.
const ROUND: TimeDelta = TimeDelta::minutes(10);

/// Teams in turn.
#[derive(Debug, Default)]
pub struct Agenda(Mutex<Round>);

#[derive(Debug, Default)]
struct Round {
    left: VecDeque<Retention>,
    begun_on: Option<Timestamp>,
}

impl Agenda {
    /// The next team; None if all were looked at in the last [`ROUND`].
    pub(crate) async fn next(
        &self,
        policies: &dyn RetentionPolicies,
        now: Timestamp,
    ) -> Result<Option<Retention>, StoreError> {
        if let Some(team) = self.round().left.pop_front() {
            return Ok(Some(team));
        }
        if self.round().begun_on.is_some_and(|begun_on| now - begun_on < ROUND) {
            return Ok(None);
        }
        let teams = policies.retentions().await?;
        let mut round = self.round();
        *round = Round { left: teams.into(), begun_on: Some(now) };
        Ok(round.left.pop_front())
    }

    /// Puts a team behind the others.
    pub(crate) fn again(&self, team: Retention) {
        self.round().left.push_back(team);
    }

    fn round(&self) -> MutexGuard<'_, Round> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
