//! A run in hand: read once, and moved on commit by commit.

use std::time::Duration;

use domain::{RunId, TeamId, Timestamp};
use engine::{Call, Decision, Effect, Event, Moment, NodeState, Plan, Rejected, Run, StepRecord, Turn};
use tracing::info;

use super::{Conductor, slots::SlotsInHand};
use crate::{
    AdvanceError,
    ports::{LoadedRun, StoreError},
};

/// How often a decision is made again because another worker committed first.
pub(crate) const CONFLICT_TRIES: u32 = 30;

/// A run as its last commit left it, with its plan.
pub(crate) struct Held<'a> {
    pub(crate) conductor: &'a Conductor,
    pub(crate) plan: Plan,
    pub(crate) run: LoadedRun,
    /// What commits left to do and was not done yet.
    pub(super) effects: Vec<Effect>,
    /// Commits made, with what they recorded.
    pub(crate) commits: Vec<Vec<StepRecord>>,
    /// Hints sent.
    pub(crate) hints: u32,
    /// When the last call was claimed of those that were under way as this run, or one that it had started, was ended from here.
    pub(crate) last_claim: Option<Timestamp>,
    /// Whether it was let in from here, beside the other runs of its team.
    pub(super) was_let_in: bool,
    /// Calls that were claimed from here and have not ended.
    pub(crate) under_way: usize,
    /// The slots that calls from here take up; None where they need none.
    pub(super) slots: Option<SlotsInHand>,
}

impl<'a> Held<'a> {
    /// Reads a run of the team and its plan.
    pub(crate) async fn load(
        conductor: &'a Conductor,
        team: TeamId,
        id: RunId,
    ) -> Result<Self, AdvanceError> {
        let run = conductor.store.load(team, id).await?;
        let plan = conductor.plan(&run.run).await?;
        Ok(Self {
            conductor,
            plan,
            run,
            effects: Vec::new(),
            commits: Vec::new(),
            hints: 0,
            last_claim: None,
            was_let_in: false,
            under_way: 0,
            slots: None,
        })
    }

    pub(crate) fn run(&self) -> &Run {
        &self.run.run
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.run.run.status.is_terminal()
    }

    /// Applies one event: decides and commits. When somebody else commits first, decides again on what they left. `turn` says what the
    /// caller could execute at a time; the claims that it gets are the answer. What the commit asks for waits for [`Held::dispatch`].
    pub(crate) async fn apply(
        &mut self,
        event: Event,
        turn: impl Fn(&Plan, Timestamp) -> Option<Turn>,
    ) -> Result<Result<Vec<Call>, Rejected>, AdvanceError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let now = self.conductor.clock.now();
            let moment = Moment { now, jitter: self.conductor.chance.draw(), turn: turn(&self.plan, now) };
            let decision = if self.slots.is_some() && moment.turn.is_some() {
                // Boxed, since few runs need it and all would be the larger for it.
                Box::pin(self.decide_within_slots(event.clone(), moment)).await
            } else {
                engine::advance(&self.plan, &self.run.run, &self.run.values, event.clone(), &moment)
            };
            let decision = match decision {
                Ok(decision) => decision,
                Err(rejected) => return Ok(Err(rejected)),
            };
            let Some(next) = decision.run else { return Ok(Ok(Vec::new())) };
            match self.conductor.store.commit(&next, &decision.records).await {
                Ok(()) => {
                    self.effects.extend(engine::new_effects(&self.plan, self.run(), &next));
                    self.committed(next, decision.records);
                    if self.is_to_be_closed() {
                        // Whoever made an earlier commit may have been lost before they did what that asks for.
                        self.expect_everything();
                    }
                    self.under_way += decision.calls.len();
                    return Ok(Ok(decision.calls));
                }
                Err(StoreError::Conflict) if attempt < CONFLICT_TRIES => self.reload(attempt).await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What the event leads to, with no more claims than there are slots for.
    async fn decide_within_slots(&mut self, event: Event, mut moment: Moment) -> Result<Decision, Rejected> {
        let LoadedRun { run, values, .. } = &self.run;
        let decision = engine::advance(&self.plan, run, values, event.clone(), &moment)?;
        // Deciding costs nothing: only for what it would claim anybody is asked.
        let claims = decision.calls.len();
        let room = if claims > 0 { self.room_for(claims, moment.now).await } else { 0 };
        if claims <= room {
            return Ok(decision);
        }
        if let Some(turn) = &mut moment.turn {
            turn.at_most = room;
        }
        let LoadedRun { run, values, .. } = &self.run;
        engine::advance(&self.plan, run, values, event, &moment)
    }

    /// Waits a little, longer and more randomly the more often it was in vain, and reads the run again.
    pub(crate) async fn reload(&mut self, attempt: u32) -> Result<(), StoreError> {
        let most = Duration::from_millis(5 << attempt.min(6));
        tokio::time::sleep(most.mul_f64(self.conductor.chance.draw())).await;
        self.read_again().await
    }

    /// Takes the run as it stands now.
    pub(super) async fn read_again(&mut self) -> Result<(), StoreError> {
        let Run { team_id, id, .. } = *self.run();
        self.run = self.conductor.store.load(team_id, id).await?;
        Ok(())
    }

    /// Asks for everything that the state asks for, done before or not.
    pub(crate) fn expect_everything(&mut self) {
        self.effects = engine::effects(&self.plan, &self.run.run);
    }

    fn committed(&mut self, next: Run, records: Vec<StepRecord>) {
        if next.status.is_terminal() && !self.has_ended() {
            let claims = self.run.run.nodes.values().filter_map(|state| match state {
                NodeState::Running { started_on, .. } => Some(*started_on),
                _ => None,
            });
            self.last_claim = self.last_claim.max(claims.max());
            info!(run_id = %next.id, team_id = %next.team_id, status = next.status.as_str(), "run {} ended", next.id);
        }
        self.run.move_on(next, records.clone());
        self.commits.push(records);
    }
}
