//! The `services` function.

use deployed::{Deployed, Fatal};
use services::State;

#[tokio::main]
async fn main() -> Result<(), Fatal> {
    let here = Deployed::boot("services").await?;
    let state = State {
        catalog: here.catalog.clone(),
        clock: here.boot.clock.clone(),
        ids: here.boot.ids.clone(),
        entropy: here.boot.entropy.clone(),
    };
    deployed::serve(services::router(state, here.gate())).await
}
