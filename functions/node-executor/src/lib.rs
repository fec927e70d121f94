//! Advances runs: each message of the steps queue is a hint to look at one (engine.md, Advancing a run).

use std::sync::Arc;

use app::{
    AdvanceError, Advanced, Delivery, MessageName, Worker, advance_run,
    ports::{Clock, Hint},
};
use domain::Timestamp;
use runtime::{
    message::{Handled, Message},
    scope,
};
use serde::Deserialize;

/// What lives as long as the process.
pub struct State {
    /// Moves runs on.
    pub worker: Worker,
    /// The present.
    pub clock: Arc<dyn Clock>,
}

/// What a message says: a hint, or a timer that brings one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Hint(Hint),
    Timer { message: Hint },
}

/// Advances the run of every message of a batch, concurrently. Answers with the messages that must come back.
#[cfg(feature = "lambda")]
pub async fn handle_batch(
    state: &State,
    event: lambda_runtime::LambdaEvent<aws_lambda_events::sqs::SqsEvent>,
) -> aws_lambda_events::sqs::SqsBatchResponse {
    let started_on = state.clock.now();
    runtime::sqs::each(event, async |message| handle(state, started_on, &message).await).await
}

/// Advances the run that a message hints at. `started_on` is when this worker took the message on.
pub async fn handle(state: &State, started_on: Timestamp, message: &Message) -> Handled {
    let hint = match serde_json::from_str(&message.body) {
        Ok(Body::Hint(hint) | Body::Timer { message: hint }) => hint,
        Err(error) => {
            // Kept, so that it is found among the dead letters: someone sends what nobody understands.
            tracing::error!(%error, "a message is no hint, leaving it for the dead letters");
            scope::count(|counts| counts.error("bad_message"));
            return Handled::Redeliver;
        }
    };
    scope::set_team(hint.team_id);
    scope::set_run(hint.run_id);
    let delivery = Delivery {
        message: MessageName::of(&message.id),
        receive_count: message.receive_count,
        started_on,
        deadline: message.deadline.into(),
    };
    match advance_run(&state.worker, &hint, &delivery).await {
        Ok(advanced) => {
            count(&advanced);
            Handled::Done
        }
        Err(error) => {
            report(&error);
            Handled::Redeliver
        }
    }
}

fn count(advanced: &Advanced) {
    scope::count(|counts| {
        for ((node_type, outcome), n) in &advanced.steps {
            counts.steps(node_type, outcome.as_str(), *n);
        }
        if let Some(status) = advanced.run_ended {
            counts.run_ended(status);
        }
    });
}

fn report(error: &AdvanceError) {
    let class = match error {
        AdvanceError::Store(_) => "store",
        AdvanceError::VersionMissing(_) => "version_missing",
        AdvanceError::VersionInvalid { .. } => "version_invalid",
    };
    scope::count(|counts| counts.error(class));
    tracing::error!(
        class,
        error = runtime::log::chain(error),
        "the run could not be advanced, the message comes back"
    );
}
