//! Admissions as sets.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Mutex,
};

use async_trait::async_trait;
use domain::{RunId, TeamId, Timestamp};

use super::lock;
use crate::ports::{Admission, Admissions, MOST_RUNNING, SlotBook, SlotWish, Slots, StepSlots, StoreError};

/// Lets runs in for as long as it lives, and counts how often it was asked to do anything.
#[derive(Debug, Default)]
pub struct MemoryAdmissions(Mutex<House>);

#[derive(Debug, Default)]
struct House {
    rooms: HashMap<TeamId, Room>,
    requests: u32,
}

#[derive(Debug, Default)]
struct Room {
    inside: BTreeSet<RunId>,
    line: BTreeSet<RunId>,
    slots: SlotBook,
}

impl MemoryAdmissions {
    /// How often it was asked to do anything.
    pub fn requests(&self) -> u32 {
        lock(&self.0).requests
    }

    /// The team's runs that are in, and those that wait.
    pub fn of(&self, team: TeamId) -> (Vec<RunId>, Vec<RunId>) {
        let mut house = lock(&self.0);
        let room = house.rooms.entry(team).or_default();
        (room.inside.iter().copied().collect(), room.line.iter().copied().collect())
    }

    /// Who has slots of the team.
    pub fn slots(&self, team: TeamId) -> SlotBook {
        lock(&self.0).rooms.entry(team).or_default().slots.clone()
    }

    fn with<T>(&self, team: TeamId, ask: impl FnOnce(&mut Room) -> T) -> T {
        let mut house = lock(&self.0);
        house.requests += 1;
        ask(house.rooms.entry(team).or_default())
    }
}

#[async_trait]
impl Admissions for MemoryAdmissions {
    async fn admit(&self, team: TeamId, run: RunId, limit: u32) -> Result<Admission, StoreError> {
        Ok(self.with(team, |room| {
            let ahead: Vec<_> = room.line.range(..run).take(MOST_RUNNING as usize).copied().collect();
            if room.inside.contains(&run) || room.inside.len() + ahead.len() < limit as usize {
                room.inside.insert(run);
                room.line.remove(&run);
                return Admission::Admitted;
            }
            room.line.insert(run);
            let position = u32::try_from(ahead.len() + 1).unwrap_or(u32::MAX);
            Admission::Waits { position, behind: room.inside.iter().copied().chain(ahead).collect() }
        }))
    }

    async fn leave(&self, team: TeamId, run: RunId) -> Result<Option<RunId>, StoreError> {
        Ok(self.with(team, |room| {
            room.inside.remove(&run);
            room.line.remove(&run);
            room.line.first().copied()
        }))
    }

    async fn position(&self, team: TeamId, run: RunId) -> Result<Option<u32>, StoreError> {
        Ok(self.with(team, |room| {
            let ahead = room.line.range(..run).take(MOST_RUNNING as usize).count();
            room.line.contains(&run).then(|| u32::try_from(ahead + 1).unwrap_or(u32::MAX))
        }))
    }
}

#[async_trait]
impl StepSlots for MemoryAdmissions {
    async fn take(
        &self,
        team: TeamId,
        wish: &SlotWish,
        limit: u32,
        now: Timestamp,
    ) -> Result<Slots, StoreError> {
        Ok(self.with(team, |room| room.slots.take(wish, limit, now)))
    }

    async fn give_back(&self, team: TeamId, holder: &str, _held: u32, kept: u32) -> Result<(), StoreError> {
        self.with(team, |room| room.slots.give_back(holder, kept));
        Ok(())
    }
}
