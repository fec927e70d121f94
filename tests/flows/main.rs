//! Flows through the deployed functions: API Gateway → Lambda → DynamoDB, SQS, Postgres, on the stack that `make test` starts.
//!
//! Each test makes its own workflows and its own HTTP target, so all run side by side.

// One test binary: nothing here is anyone's API.
#![allow(unreachable_pub)]

mod bad_input;
mod crash_safety;
mod publish_and_run;
mod support;
