//! The port to who of a team has how many calls under way, where it may have only so many at a time (RUN-16).

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::{TeamId, Timestamp};
use serde::{Deserialize, Serialize};

use super::StoreError;

/// The most calls at a time that a team can be limited to. Whoever has some under way is kept in one item, which each change rewrites.
pub const MOST_STEPS: u32 = 1000;

/// How soon somebody who was refused looks again.
const SOONEST: TimeDelta = TimeDelta::seconds(1);

/// How far apart those who were refused look again, at the least.
const CLOSEST: TimeDelta = TimeDelta::milliseconds(50);

/// How late anybody looks again (SQS).
const LATEST: TimeDelta = TimeDelta::minutes(15);

/// Hands out slots for calls, so many at a time to each team. Teams without a limit are never asked about.
///
/// - At no moment are more out than the limit that the last of them was handed out by.
/// - What was handed out and is not given back is free again when its time is over.
/// - All may be asked twice: who holds slots and asks for as many holds them still, and what was given back is given back.
///
/// On AWS to take and to give back cost one write each, of a kilobyte for every 30 holders; a refusal costs two.
#[async_trait]
pub trait StepSlots: Send + Sync {
    /// Makes it so many for this holder, or as many as are free beside those of others: never fewer than it has.
    async fn take(
        &self,
        team: TeamId,
        wish: &SlotWish,
        limit: u32,
        now: Timestamp,
    ) -> Result<Slots, StoreError>;

    /// Leaves the holder `kept` of the slots that it has. To know that these are `held` spares a request.
    async fn give_back(&self, team: TeamId, holder: &str, held: u32, kept: u32) -> Result<(), StoreError>;
}

/// A wish for slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotWish {
    /// Who has it: sixteen characters that nobody else in the team goes by.
    pub holder: String,
    /// How many it wants to have, at least one.
    pub wanted: u32,
    /// When it has none any more, whatever becomes of it.
    pub until: Timestamp,
}

/// What came of [`StepSlots::take`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slots {
    /// The holder has so many, at least one.
    Held(u32),
    /// It has none: others have all.
    None {
        /// When it may look again. Nobody else was told the same time, so that those who wait take turns, and are not more requests a
        /// second the more they are.
        look_again: Timestamp,
    },
}

/// Who has slots of a team, as adapters keep it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotBook {
    /// Those who have some.
    pub holders: BTreeMap<String, Holding>,
    /// The last time that anybody was told to look again.
    pub last_look: Option<Timestamp>,
}

/// What one holder has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// How many slots.
    pub slots: u32,
    /// Until when.
    pub until: Timestamp,
}

impl SlotBook {
    /// How many slots are out, those included whose time is over.
    pub fn out(&self) -> u32 {
        self.holders.values().map(|holding| holding.slots).sum()
    }

    /// Does what [`StepSlots::take`] says, and drops those whose time is over.
    pub fn take(&mut self, wish: &SlotWish, limit: u32, now: Timestamp) -> Slots {
        let SlotWish { holder, wanted, until } = wish;
        self.holders.retain(|other, holding| other == holder || holding.until > now);
        let mine = self.holders.get(holder).map_or(0, |holding| holding.slots);
        let free = limit.saturating_sub(self.out() - mine);
        let slots = (*wanted).min(free).max(mine);
        if slots == 0 {
            let look_again = self.next_look(limit, now);
            self.last_look = Some(look_again);
            return Slots::None { look_again };
        }
        self.holders.insert(holder.clone(), Holding { slots, until: *until });
        Slots::Held(slots)
    }

    /// Does what [`StepSlots::give_back`] says.
    pub fn give_back(&mut self, holder: &str, kept: u32) {
        if let Some(holding) = self.holders.get_mut(holder) {
            holding.slots = holding.slots.min(kept);
        }
        self.holders.retain(|_, holding| holding.slots > 0);
    }

    /// As many look each second as calls may be under way, so that calls of a second find their place taken at once, and those of a minute
    /// cost no more.
    fn next_look(&self, limit: u32, now: Timestamp) -> Timestamp {
        let apart = (TimeDelta::seconds(1) / i32::try_from(limit.max(1)).unwrap_or(i32::MAX)).max(CLOSEST);
        let next = self.last_look.map(|last| last + apart);
        next.unwrap_or_default().clamp(now + SOONEST, now + LATEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(holder: &str, wanted: u32) -> SlotWish {
        let until = Timestamp::UNIX_EPOCH + TimeDelta::seconds(60);
        SlotWish { holder: holder.to_owned(), wanted, until }
    }

    #[test]
    fn those_who_wait_look_one_after_the_other() {
        let (mut book, now) = (SlotBook::default(), Timestamp::UNIX_EPOCH);
        assert_eq!(book.take(&wish("first", 9), 4, now), Slots::Held(4));
        let mut looks = Vec::new();
        for _ in 0..5 {
            let Slots::None { look_again } = book.take(&wish("next", 1), 4, now) else { panic!() };
            looks.push((look_again - now).num_milliseconds());
        }
        assert_eq!(looks, [1000, 1250, 1500, 1750, 2000]);
        let later = now + TimeDelta::seconds(30);
        assert_eq!(
            book.take(&wish("next", 1), 4, later),
            Slots::None { look_again: later + TimeDelta::seconds(1) }
        );
    }

    #[test]
    fn nobody_looks_more_often_or_later_than_is_good() {
        let (mut book, now) = (SlotBook::default(), Timestamp::UNIX_EPOCH);
        assert_eq!(book.take(&wish("first", 1000), 1000, now), Slots::Held(1000));
        let mut last = now;
        for _ in 0..20_000 {
            let Slots::None { look_again } = book.take(&wish("next", 1), 1000, now) else { panic!() };
            assert!(look_again - last >= CLOSEST || look_again == now + LATEST);
            last = look_again;
        }
        assert_eq!(last, now + LATEST);
    }
}
