//! Messages on their way into the queue.

use std::time::Duration;

use app::ports::Delivered;
use domain::Priority;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{Claims, column};
use crate::step_queue::{Hands, priority};

/// A row of `messages`.
#[derive(Debug)]
pub(crate) struct NewMessage {
    pub(crate) id: Uuid,
    pub(crate) team_id: Uuid,
    pub(crate) run_id: Uuid,
    pub(crate) node: Option<String>,
    pub(crate) priority: Priority,
    /// How long until it may be received.
    pub(crate) delay: Duration,
    /// The worker of this process that gets it as soon as it is durable, and what it is handed then.
    pub(crate) hand: Option<(oneshot::Sender<Delivered>, Delivered)>,
}

impl NewMessage {
    /// Whether other processes have to be woken for it.
    fn is_anyones(&self) -> bool {
        self.hand.is_none() && self.delay.is_zero()
    }

    /// Gives the durable message to its worker; one without is looked for when it is due. A worker that has stopped
    /// meanwhile leaves the message to the queue: its process ends soon.
    pub(super) fn hand_over(self, hands: &Hands) {
        match self.hand {
            Some((worker, delivered)) => drop(worker.send(delivered)),
            None => hands.expect_work_in(self.delay),
        }
    }
}

/// Messages as array parameters.
pub(super) struct Columns<'a> {
    pub(super) id: Vec<Uuid>,
    pub(super) team_id: Vec<Uuid>,
    pub(super) run_id: Vec<Uuid>,
    pub(super) node: Vec<Option<&'a str>>,
    pub(super) hidden_s: Vec<f64>,
    pub(super) receive_count: Vec<i32>,
    pub(super) holder: Vec<Option<i32>>,
    pub(super) priority: Vec<i16>,
    pub(super) wakes_others: bool,
}

impl<'a> Columns<'a> {
    pub(super) fn of(messages: &[&'a NewMessage], claims: &Claims) -> Self {
        let hidden =
            |message: &NewMessage| if message.hand.is_some() { claims.visibility } else { message.delay };
        Self {
            id: column(messages, |message| message.id),
            team_id: column(messages, |message| message.team_id),
            run_id: column(messages, |message| message.run_id),
            node: column(messages, |message| message.node.as_deref()),
            hidden_s: column(messages, |message| hidden(message).as_secs_f64()),
            receive_count: column(messages, |message| i32::from(message.hand.is_some())),
            holder: column(messages, |message| message.hand.as_ref().map(|_| claims.holder)),
            priority: column(messages, |message| priority::to_row(message.priority)),
            wakes_others: messages.iter().any(|message| message.is_anyones()),
        }
    }
}
