//! Flows through the whole of Heddle, on what `make test` starts: the functions deployed to the emulated AWS (API Gateway → Lambda →
//! DynamoDB, SQS, Postgres), and the same functions in one process over Postgres. What holds on both is written once and runs on
//! each (`on_each_target!`).
//!
//! Each test makes its own workflows and its own HTTP target, so all run side by side.

// One test binary: nothing here is anyone's API.
#![allow(unreachable_pub)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

/// Makes two tests of each flow, an `async fn(Api)`: one a target.
macro_rules! on_each_target {
    ($($flow:ident),* $(,)?) => {
        mod on_aws {
            $(
                #[tokio::test]
                async fn $flow() {
                    super::$flow(crate::support::api::Api::on_aws()).await;
                }
            )*
        }

        mod standalone {
            $(
                #[tokio::test]
                async fn $flow() {
                    super::$flow(crate::support::api::Api::standalone()).await;
                }
            )*
        }
    };
}

mod bad_input;
mod chaos;
mod control;
mod crash_safety;
mod dead_letters;
mod kills;
mod memory;
mod publish_and_run;
mod standalone_kill;
mod step_limits;
mod support;
mod taint;
mod visibility;
