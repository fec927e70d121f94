//! Admissions as sets.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Mutex,
};

use async_trait::async_trait;
use domain::{RunId, TeamId};

use super::lock;
use crate::ports::{Admission, Admissions, MOST_RUNNING, StoreError};

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
