//! Memberships as a list.

use std::sync::Mutex;

use async_trait::async_trait;
use domain::MemberId;

use super::lock;
use crate::ports::{Seat, Seats, StoreError};

/// Who is in which team, for as long as it lives.
#[derive(Debug, Default)]
pub struct MemorySeats(Mutex<Vec<(MemberId, Seat)>>);

impl MemorySeats {
    /// Gives a person a place in a team, in place of the one they had.
    pub fn put(&self, member: MemberId, seat: Seat) {
        let mut seats = lock(&self.0);
        seats.retain(|(known, place)| *known != member || place.team_id != seat.team_id);
        seats.push((member, seat));
    }
}

#[async_trait]
impl Seats for MemorySeats {
    async fn seats(&self, member: MemberId) -> Result<Vec<Seat>, StoreError> {
        let seats = lock(&self.0);
        Ok(seats.iter().filter(|(known, _)| *known == member).map(|(_, seat)| seat.clone()).collect())
    }
}
