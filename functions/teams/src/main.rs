//! The `teams` function.

mod config;

use std::sync::Arc;

use app::ports::EmailAddress;
use aws::SesMailer;
use deployed::{Deployed, Fatal};
use teams::State;

use config::Config;

#[tokio::main]
async fn main() -> Result<(), Fatal> {
    let here = Deployed::boot("teams").await?;
    let config = Config::from_env(&here.boot.env)?;
    let sender = EmailAddress::parse(&config.mail_sender).map_err(|error| format!("MAIL_SENDER: {error}"))?;
    let state = State {
        catalog: here.catalog.clone(),
        mailer: Arc::new(SesMailer::new(&here.sdk, sender)),
        clock: here.boot.clock.clone(),
        ids: here.boot.ids.clone(),
        entropy: here.boot.entropy.clone(),
    };
    deployed::serve(teams::router(state, here.gate())).await
}
