//! A circuit breaker per team and host (NOD-26): a host that keeps failing is left alone for a while, so that it can
//! recover, and so that workers don't spend their time waiting for it.
//!
//! - After [`THRESHOLD`](circuit::THRESHOLD) transient failures in a row the circuit opens: calls fail at once as
//!   `circuit_open`, and `retry_after_s` is the rest of the cool-off.
//! - After the cool-off one call goes out as a probe. An answer closes the circuit; a failure opens it again, for twice as long.
//! - An answer is whatever shows that the host works: a success, or a status such as 404. Mistakes of the workflow, and
//!   hosts that may not be called, say nothing.
//!
//! Each process judges by what it sees. What it does not see, others tell it through [`Counters`], which only failures and
//! probes touch: a healthy call costs no request ([`shared`]).

mod circuit;
mod shared;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::ports::{Clock, Connectors, Counters, Executed};
use async_trait::async_trait;
use chrono::TimeDelta;
use domain::{ErrorClass, Failure, Timestamp};
use engine::Call;
use url::Url;

use crate::egress::host_of;
use circuit::{Circuit, Entry};
use shared::{Claim, Peer, Shared};

/// How many hosts are remembered before the first look for those that nobody needs.
const HOSTS: usize = 1000;

/// How much longer than its budget a probe may be on its way before another one is made.
const PROBE_GRACE: TimeDelta = TimeDelta::seconds(2);

/// Connectors behind circuit breakers. Built once per process and shared by all calls.
pub struct CircuitBreaker<C> {
    inner: C,
    shared: Shared,
    clock: Arc<dyn Clock>,
    circuits: Mutex<Circuits>,
}

struct Circuits {
    by_peer: HashMap<Peer, Circuit>,
    /// How many there may be before those that nobody needs are looked for.
    room: usize,
}

/// What an outcome says of the host.
enum Verdict {
    Answered,
    Failed(TimeDelta),
    Silent,
}

impl<C> CircuitBreaker<C> {
    /// Breakers before `inner`, all circuits closed.
    pub fn new(inner: C, counters: Arc<dyn Counters>, clock: Arc<dyn Clock>) -> Self {
        let circuits = Mutex::new(Circuits { by_peer: HashMap::new(), room: HOSTS });
        Self { inner, shared: Shared::new(counters), clock, circuits }
    }

    /// Lets a call through, or answers until when it is refused.
    async fn enter(&self, peer: &Peer, budget: Duration) -> Result<(), Timestamp> {
        let longest = TimeDelta::from_std(budget).unwrap_or(circuit::MAX_COOL_OFF) + PROBE_GRACE;
        match self.known(peer, |circuit, now| circuit.enter(now, longest)) {
            None | Some(Entry::Pass) => Ok(()),
            Some(Entry::Refused(until)) => Err(until),
            Some(Entry::Probe) => match self.shared.claim_probe(peer).await {
                Claim::Granted => Ok(()),
                Claim::Answered => {
                    self.known(peer, Circuit::answered);
                    Ok(())
                }
                Claim::Taken(until) => {
                    self.known(peer, |circuit, _| circuit.postpone(until));
                    Err(until)
                }
            },
        }
    }

    /// Learns from an outcome; answers a line for the step's log if it opened the circuit.
    async fn learn(&self, peer: &Peer, outcome: &Verdict) -> Option<String> {
        match outcome {
            Verdict::Silent => {
                self.known(peer, Circuit::postpone);
                None
            }
            Verdict::Answered => {
                if self.any(peer, Circuit::answered) {
                    self.shared.answered(peer).await;
                }
                None
            }
            Verdict::Failed(pause) => {
                let known = self.shared.failed(peer).await;
                let opened = |circuit: &mut Circuit, now| Some((circuit.failed(now, known, *pause)?, now));
                let (until, now) = self.any(peer, opened)?;
                let (host, rest) = (&peer.host, seconds(until - now));
                tracing::warn!(team_id = %peer.team, host, rest, "circuit of {host} opened for {rest} s");
                Some(format!("{host} keeps failing: nothing is sent to it for {rest} s"))
            }
        }
    }

    /// Does something to the circuit, if there is one.
    fn known<T>(&self, peer: &Peer, act: impl FnOnce(&mut Circuit, Timestamp) -> T) -> Option<T> {
        let now = self.clock.now();
        let mut circuits = self.circuits.lock().unwrap_or_else(PoisonError::into_inner);
        circuits.by_peer.get_mut(peer).map(|circuit| act(circuit, now))
    }

    /// Does something to the circuit, which is closed if there was none.
    fn any<T>(&self, peer: &Peer, act: impl FnOnce(&mut Circuit, Timestamp) -> T) -> T {
        let now = self.clock.now();
        let mut circuits = self.circuits.lock().unwrap_or_else(PoisonError::into_inner);
        circuits.make_room(now);
        act(circuits.by_peer.entry(peer.clone()).or_default(), now)
    }
}

impl Circuits {
    /// Strangers choose the hosts, so circuits are forgotten once there are many. Looked for each time that their number has
    /// doubled.
    fn make_room(&mut self, now: Timestamp) {
        if self.by_peer.len() >= self.room {
            self.by_peer.retain(|_, circuit| circuit.is_needed(now));
            self.room = HOSTS.max(self.by_peer.len() * 2);
        }
    }
}

#[async_trait]
impl<C: Connectors> Connectors for CircuitBreaker<C> {
    async fn execute(&self, call: &Call, budget: Duration) -> Executed {
        let Some(peer) = peer_of(call) else { return self.inner.execute(call, budget).await };
        if let Err(until) = self.enter(&peer, budget).await {
            return refused(&peer.host, seconds(until - self.clock.now()));
        }
        let mut executed = self.inner.execute(call, budget).await;
        executed.notes.extend(self.learn(&peer, &Verdict::of(&executed.outcome)).await);
        executed
    }
}

impl Verdict {
    fn of<T>(outcome: &Result<T, Failure>) -> Self {
        match outcome {
            Ok(_) => Self::Answered,
            Err(failure) if failure.class == ErrorClass::Transient => {
                Self::Failed(TimeDelta::seconds(failure.retry_after_s.unwrap_or(0).into()))
            }
            Err(failure) if failure.code == "http_status" => Self::Answered,
            Err(_) => Self::Silent,
        }
    }
}

/// Who a call goes to, if it names a URL. One that is malformed is left to the connector, which says so.
fn peer_of(call: &Call) -> Option<Peer> {
    let url = Url::parse(call.config.get("url")?.as_str()?).ok()?;
    url.host_str().map(|_| Peer { team: call.team_id, host: host_of(&url) })
}

fn refused(host: &str, rest: u32) -> Executed {
    let message = format!("{host} keeps failing, so nothing was sent to it");
    let failure = Failure::new(ErrorClass::Transient, "circuit_open", message);
    Executed {
        outcome: Err(Failure { retry_after_s: Some(rest), ..failure }),
        notes: vec![format!("{host}: circuit open, no request was sent; the next may go out in {rest} s")],
    }
}

/// Whole seconds, rounded up, at least one: a call that comes back too early comes back for nothing.
fn seconds(rest: TimeDelta) -> u32 {
    let ms = rest.num_milliseconds().max(1).unsigned_abs();
    u32::try_from(ms.div_ceil(1000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
