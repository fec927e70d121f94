//! The outside world: how a call goes is a function of the seed, its node and its attempt.

use std::{sync::Arc, time::Duration};

use app::ports::{Connectors, Executed};
use async_trait::async_trait;
use domain::{ErrorClass, Failure};
use engine::Call;
use serde_json::{Value, json};

use crate::{bugs::Bug, chance::Dice, graphs::Temper, judge::Judge, network::Network};

/// Connectors of one worker process.
pub struct SimConnectors {
    seed: u64,
    network: Arc<Network>,
    judge: Arc<Judge>,
    bug: Option<Bug>,
}

/// How one attempt goes.
struct Reply {
    takes: Duration,
    outcome: Result<Value, Failure>,
    /// Whether the connector fails to notice that its time is over.
    is_deaf: bool,
}

impl SimConnectors {
    /// Connectors that report to a judge.
    pub fn new(seed: u64, network: Arc<Network>, judge: Arc<Judge>, bug: Option<Bug>) -> Self {
        Self { seed, network, judge, bug }
    }

    async fn attempt(&self, call: &Call, budget: Duration) -> Result<Value, Failure> {
        let reply = self.reply(call);
        self.network.note(|| {
            let (run, takes) = (crate::short(call.run_id), reply.takes.as_millis());
            format!(
                "call {run} {} attempt {}, takes {takes} ms of {} ms",
                call.node,
                call.attempt,
                budget.as_millis()
            )
        });
        let at_work = self.judge.call_begins(call);
        let is_cut = reply.takes > budget && !reply.is_deaf;
        tokio::time::sleep(if is_cut { budget } else { reply.takes }).await;
        let outcome = if is_cut { Err(timeout()) } else { reply.outcome };
        self.network.note(|| match &outcome {
            Ok(_) => format!("call {} answered", call.node),
            Err(failure) => format!("call {} failed: {}", call.node, failure.message),
        });
        at_work.ends(outcome.clone());
        outcome
    }

    fn reply(&self, call: &Call) -> Reply {
        let dice = Dice::of(self.seed, &format!("{}/{}/{}", call.run_id, call.node, call.attempt));
        let limit = u64::from(call.timeout_s) * 1000;
        let temper = self.judge.temper(call);
        let soon = dice.between(1, 400);
        let answers = || Ok(answer(call));
        let (takes, outcome) = match temper {
            Temper::Flaky if dice.hits(500) => (soon, Err(transient(&dice))),
            Temper::Steady | Temper::Flaky => (soon, answers()),
            Temper::Down => (soon, Err(transient(&dice))),
            Temper::Refusing => (soon, Err(permanent())),
            Temper::Slow => (dice.between(limit / 2, limit + limit / 4), answers()),
            Temper::Deaf => (dice.between(1, limit * 2), answers()),
        };
        Reply { takes: Duration::from_millis(takes), outcome, is_deaf: temper == Temper::Deaf }
    }
}

#[async_trait]
impl Connectors for SimConnectors {
    async fn execute(&self, call: &Call, budget: Duration) -> Executed {
        let outcome = match self.bug {
            Some(Bug::DoubledEffect) => {
                let _ = self.attempt(call, budget).await;
                self.attempt(call, budget).await
            }
            Some(Bug::FreshKeys) => {
                let idempotency_key = format!("{}:{}", call.idempotency_key, call.attempt);
                self.attempt(&Call { idempotency_key, ..call.clone() }, budget).await
            }
            _ => self.attempt(call, budget).await,
        };
        Executed { outcome, notes: vec![format!("attempt {}", call.attempt)] }
    }
}

/// What tells one attempt's answer from another's, and what it was asked for.
fn answer(call: &Call) -> Value {
    let sent = call.config.get("body").or_else(|| call.config.get("query"));
    json!({"status": 200, "headers": {}, "body": {"attempt": call.attempt, "sent": sent}})
}

fn transient(dice: &Dice) -> Failure {
    let retry_after_s = dice.pick(&[None, None, None, Some(0), Some(7), Some(90)]);
    Failure { retry_after_s, ..Failure::new(ErrorClass::Transient, "http_status", "503") }
}

fn permanent() -> Failure {
    Failure::new(ErrorClass::Permanent, "http_status", "404")
}

fn timeout() -> Failure {
    Failure::new(ErrorClass::Transient, "timeout", "no answer in time")
}
