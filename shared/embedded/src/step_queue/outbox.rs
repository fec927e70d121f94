//! From a hint to the row that carries it.

use std::{sync::Arc, time::Duration};

use app::ports::{Delivered, Hint, Ids};

use super::Hands;
use crate::journal::NewMessage;

/// Makes messages, and keeps an idle worker for each that is due at once.
#[derive(Clone)]
pub(crate) struct Outbox {
    ids: Arc<dyn Ids>,
    hands: Arc<Hands>,
}

impl Outbox {
    pub(crate) fn new(ids: Arc<dyn Ids>, hands: Arc<Hands>) -> Self {
        Self { ids, hands }
    }

    /// The message for a hint. Dropping it gives its worker back.
    pub(crate) fn message(&self, hint: Hint, delay_s: u32) -> NewMessage {
        let id = self.ids.next();
        let hand = if delay_s == 0 { self.hands.keep() } else { None };
        let (team_id, run_id) = (hint.team_id.uuid(), hint.run_id.uuid());
        let node = hint.node.as_ref().map(ToString::to_string);
        let (priority, name) = (hint.priority, id.to_string());
        let delivered = Delivered { receipt: name.clone(), id: name, hint, receive_count: 1 };
        let hand = hand.map(|worker| (worker, delivered));
        NewMessage {
            id,
            team_id,
            run_id,
            node,
            priority,
            delay: Duration::from_secs(u64::from(delay_s)),
            hand,
        }
    }
}
