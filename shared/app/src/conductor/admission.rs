//! Beginning a run only when its team has room for it.
//!
//! A run that waits is `pending`, with one message on its way that looks again. When that comes stands in its state
//! ([`Run::postponed_until`]), so that other messages leave no further ones behind. Most often it comes for nothing:
//! whoever ends sends the first in line a message at once.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{Priority, RunId, RunStatus, Timestamp};
use engine::{Effect, Event, Run};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tracing::{info, warn};

use super::Held;
use crate::{
    AdvanceError,
    advance_run::time::{MAX_DELAY_S, delay_s},
    ports::{Admission, Hint, StoreError},
};

/// When the first in line looks again. Each place behind it adds a second, so that a long line looks about as often as a short one.
const SOONEST_S: u32 = 5;

/// Of those that a run waits for, so many are looked at each time, in case somebody was lost before they could take them out.
const LOOKED_AT: usize = 8;

impl Held<'_> {
    /// Whether the run goes on, or begins now if it has not; if not, it is left to a later message. `is_repeat` says that whoever had this
    /// message before may have been lost before they sent that. A run whose time is over goes on to its end.
    pub(crate) async fn may_begin(&mut self, is_repeat: bool) -> Result<bool, AdvanceError> {
        let now = self.conductor.clock.now();
        let run = self.run();
        let is_over = run.deadline.is_some_and(|deadline| deadline <= now);
        let Some(limit) = run.max_running.filter(|_| run.status == RunStatus::Pending && !is_over) else {
            return Ok(true);
        };
        match self.ask(limit).await? {
            Admission::Admitted => {
                self.was_let_in = true;
                Ok(true)
            }
            Admission::Waits { position, .. } => {
                self.look_again_later(position, is_repeat).await?;
                Ok(false)
            }
        }
    }

    /// Leaves room for others if the run had ended before it was let in.
    pub(crate) fn expect_room_of_ended(&mut self) {
        if self.was_let_in && self.has_ended() && !self.effects.contains(&Effect::MakeRoom) {
            self.effects.push(Effect::MakeRoom);
        }
    }

    /// Takes the run out, and sends a message to the first that waits.
    pub(super) async fn make_room(&mut self) -> Result<(), AdvanceError> {
        let Run { id, team_id, .. } = *self.run();
        if let Some(run_id) = self.conductor.admissions.leave(team_id, id).await? {
            // Whose class only its own state tells; it has waited long enough for the ordinary one.
            let hint = Hint { run_id, team_id, node: None, priority: Priority::Default };
            self.send(vec![(hint, 0)]).await?;
        }
        Ok(())
    }

    /// Asks for admission; again if some that it was refused for are not there any more.
    async fn ask(&self, limit: u32) -> Result<Admission, AdvanceError> {
        let Run { id, team_id, .. } = *self.run();
        let admissions = &self.conductor.admissions;
        let answer = admissions.admit(team_id, id, limit).await?;
        match &answer {
            Admission::Waits { behind, .. } if self.clear_away(behind).await? => {
                Ok(admissions.admit(team_id, id, limit).await?)
            }
            _ => Ok(answer),
        }
    }

    /// Takes out those of a few that have ended, and answers whether there were any. Which few is left to chance.
    async fn clear_away(&self, behind: &[RunId]) -> Result<bool, StoreError> {
        if behind.is_empty() {
            return Ok(false);
        }
        // Of many, those from a random place on.
        let most = u32::try_from(behind.len()).unwrap_or(u32::MAX);
        let first = Duration::from_secs(most.into()).mul_f64(self.conductor.chance.draw()).as_secs();
        let first = usize::try_from(first).unwrap_or_default();
        let some: Vec<RunId> =
            behind.iter().copied().cycle().skip(first).take(LOOKED_AT.min(behind.len())).collect();
        let cleared = stream::iter(some).map(|run| self.is_cleared_away(run));
        let cleared: Vec<bool> = cleared.buffer_unordered(LOOKED_AT).try_collect().await?;
        Ok(cleared.contains(&true))
    }

    /// Takes a run out if it has ended or is gone. What was let in was stored before, so that what is not there has been deleted.
    async fn is_cleared_away(&self, run: RunId) -> Result<bool, StoreError> {
        let team = self.run().team_id;
        match self.conductor.store.load_control(team, run).await {
            Ok(found) if !found.status.is_terminal() => return Ok(false),
            Ok(_) | Err(StoreError::NotFound) => {}
            Err(error) => return Err(error),
        }
        warn!(run_id = %run, team_id = %team, "run {run} had ended and had not made room");
        self.conductor.admissions.leave(team, run).await?;
        Ok(true)
    }

    /// Sends the next message of a run that waits, unless one is on its way.
    async fn look_again_later(&mut self, position: u32, is_repeat: bool) -> Result<(), AdvanceError> {
        let now = self.conductor.clock.now();
        let then = match self.run().postponed_until(now) {
            Some(_) if !is_repeat => return Ok(()),
            Some(then) => then,
            None => {
                let Some(then) = self.postpone(position, now).await? else { return Ok(()) };
                then
            }
        };
        self.send(vec![(Hint::at(self.run()), delay_s(then, now).min(MAX_DELAY_S))]).await?;
        Ok(())
    }

    /// Commits when the run is looked at next. None if somebody else has done so, or has begun or ended it: they look after it.
    async fn postpone(&mut self, position: u32, now: Timestamp) -> Result<Option<Timestamp>, AdvanceError> {
        let delay = SOONEST_S.saturating_add(position.saturating_sub(1)).min(MAX_DELAY_S);
        let then = now + TimeDelta::seconds(delay.into());
        // At its deadline it must end.
        let until = self.run().deadline.map_or(then, |deadline| then.min(deadline));
        let commits = self.commits.len();
        // Refused if it has ended.
        let _ = self.apply(Event::Postponed { until }, |_, _| None).await?;
        if self.commits.len() == commits {
            return Ok(None);
        }
        let Run { id, team_id, .. } = *self.run();
        info!(run_id = %id, team_id = %team_id, position, "run {id} waits for others of its team to end");
        Ok(Some(until))
    }
}
