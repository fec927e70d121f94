//! Slots for the calls of a team that may have only so many under way at a time.
//!
//! A worker takes slots before the commit that claims, as many as it would claim calls, and claims no more than it has slots for. It keeps
//! them for the time of its message, for what becomes ready with what its calls come to, and gives back what it has no use for. Whoever is
//! lost with slots is outlived by them for as long as its calls could have gone on.
//!
//! One message at a time looks after what is ready of a run, for all of it: where somebody is at work on the run, they do, and else a message
//! that comes back. So messages that find no slots do not pile up, however many nodes wait.

use std::time::Duration;

use chrono::TimeDelta;
use domain::Timestamp;
use engine::{Digest, Event, NodeState, Run};
use tracing::{debug, warn};

use super::Held;
use crate::{
    AdvanceError, Delivery,
    advance_run::time::GRACE,
    ports::{Hint, SlotWish, Slots},
};

/// How long a worker that was refused makes do with what it has.
const PATIENCE: TimeDelta = TimeDelta::seconds(5);

/// How often a worker whose hands are full calls another one.
const CALLS_AGAIN: TimeDelta = TimeDelta::seconds(5);

/// A run that waits for slots is looked at without a message no sooner than so, and a minute: that is written down, and not at each look.
const UNHEARD: TimeDelta = TimeDelta::minutes(2);

/// The slots of one message.
pub(crate) struct SlotsInHand {
    /// How it is called. No other delivery is called so, not even one of the same message: both could have calls under way.
    holder: String,
    /// When no call of this message is under way any more.
    until: Timestamp,
    limit: u32,
    held: u32,
    /// Whether it may have others: it asked for some and got no answer.
    is_unsure: bool,
    /// Whether there were too few of them for what could be claimed last.
    is_short: bool,
    /// Nobody is asked before.
    asks_on: Option<Timestamp>,
    /// When it was told to look again, having none.
    look_again: Option<Timestamp>,
    /// When it last called another worker.
    called_on: Option<Timestamp>,
}

impl Held<'_> {
    /// From now on calls are claimed from here, by this delivery: with slots, where the run needs them.
    pub(crate) fn claims_for(&mut self, delivery: &Delivery) {
        let Run { id, max_running_steps, .. } = *self.run();
        let Some(limit) = max_running_steps else { return };
        let Delivery { message, receive_count, started_on, deadline } = delivery;
        let chance = self.conductor.chance.draw().to_bits();
        let name = Digest::of(&(id, message.to_string(), receive_count, started_on, chance));
        self.slots = Some(SlotsInHand {
            holder: name.as_str().chars().take(16).collect(),
            until: *deadline + GRACE,
            limit,
            held: 0,
            is_unsure: false,
            is_short: false,
            asks_on: None,
            look_again: None,
            called_on: None,
        });
    }

    /// Whether calls from here need slots.
    pub(crate) const fn is_limited(&self) -> bool {
        self.slots.is_some()
    }

    /// Whether there were too few slots for what could be claimed last.
    pub(crate) fn is_short_of_slots(&self) -> bool {
        self.slots.as_ref().is_some_and(|slots| slots.is_short)
    }

    /// How many of `claims` calls there are slots for, taken now if they are not at hand. Slots that can't be asked for are none: what other
    /// calls have come to is committed all the same.
    pub(super) async fn room_for(&mut self, claims: usize, now: Timestamp) -> usize {
        let (team, under_way) = (self.run().team_id, self.under_way);
        let Some(slots) = &mut self.slots else { return usize::MAX };
        let wanted = u32::try_from(under_way + claims).unwrap_or(u32::MAX);
        slots.is_short = slots.held < wanted;
        if slots.is_short && slots.asks_on.is_none_or(|then| then <= now) {
            let wish = SlotWish { holder: slots.holder.clone(), wanted, until: slots.until };
            match self.conductor.admissions.take(team, &wish, slots.limit, now).await {
                Ok(Slots::Held(held)) => (slots.held, slots.look_again) = (held, None),
                Ok(Slots::None { look_again }) => (slots.held, slots.look_again) = (0, Some(look_again)),
                Err(error) => {
                    slots.is_unsure = true;
                    warn!(team_id = %team, %error, "slots for calls can't be asked for");
                }
            }
            slots.is_short = slots.held < wanted;
            slots.asks_on = slots.is_short.then_some(now + PATIENCE);
        }
        usize::try_from(slots.held).unwrap_or(usize::MAX).saturating_sub(under_way)
    }

    /// Gives back the slots that no call takes up, once they are half of all: what ends one by one is not one request each.
    pub(crate) async fn give_back_idle_slots(&mut self) {
        let under_way = u32::try_from(self.under_way).unwrap_or(u32::MAX);
        if self.slots.as_ref().is_some_and(|slots| under_way > 0 && under_way <= slots.held / 2) {
            self.keep_slots(under_way).await;
        }
    }

    /// Gives back all slots. No call is under way any more.
    pub(crate) async fn give_back_slots(&mut self) {
        self.under_way = 0;
        if self.slots.as_ref().is_some_and(|slots| slots.held > 0 || slots.is_unsure) {
            self.keep_slots(0).await;
        }
    }

    async fn keep_slots(&mut self, kept: u32) {
        let team = self.run().team_id;
        let Some(slots) = &mut self.slots else { return };
        let given = self.conductor.admissions.give_back(team, &slots.holder, slots.held, kept);
        match given.await {
            Ok(()) => slots.held = kept,
            // They come back by themselves.
            Err(error) => warn!(team_id = %team, %error, "slots for calls can't be given back"),
        }
    }

    /// Sends for another worker if there is more to claim than this one could, and not for lack of slots. `is_new` says that some of it has
    /// just become ready. That worker does the same: however many there is work for, one after the other comes.
    pub(crate) async fn call_another(&mut self, is_new: bool) -> Result<(), AdvanceError> {
        let now = self.conductor.clock.now();
        let first = self.run().due(now).next().cloned();
        // With nothing under way it comes back itself.
        let is_busy = self.under_way > 0;
        let slots = self.slots.as_mut().filter(|slots| is_busy && !slots.is_short);
        let (Some(slots), Some(node)) = (slots, first) else { return Ok(()) };
        if is_new || slots.called_on.is_none_or(|then| now - then >= CALLS_AGAIN) {
            slots.called_on = Some(now);
            self.send(vec![(Hint::at(self.run()).about(node), 0)]).await?;
        }
        Ok(())
    }

    /// Whether somebody else has calls of the run under way. They hand over what they leave.
    pub(crate) fn others_are_at_work(&self, now: Timestamp) -> bool {
        let is_held =
            |state: &NodeState| matches!(state, NodeState::Running { lease_until, .. } if *lease_until > now);
        self.run().nodes.values().any(is_held)
    }

    /// When a message that leaves nodes ready comes back for them: for lack of slots when it is its turn to look, or in a while if it had
    /// some, so that others have theirs; else at once.
    pub(crate) fn comes_back_for_slots(&self, now: Timestamp) -> Timestamp {
        let Some(slots) = self.slots.as_ref().filter(|slots| slots.is_short) else { return now };
        slots
            .look_again
            .unwrap_or_else(|| now + Duration::from_secs(1).mul_f64(1.0 + self.conductor.chance.draw()))
    }

    /// Writes down that the run's next message comes then, if it would be looked at before. If that can't be written it is.
    pub(crate) async fn wait_for_slots(&mut self, then: Timestamp, now: Timestamp) {
        if self.run().next_check_on.is_none_or(|check| check > then) {
            return;
        }
        let until = then.max(now + UNHEARD);
        if let Err(error) = self.apply(Event::Postponed { until }, |_, _| None).await {
            let Run { id, team_id, .. } = *self.run();
            debug!(run_id = %id, team_id = %team_id, %error, "that a run waits for slots was not written down");
        }
    }
}
