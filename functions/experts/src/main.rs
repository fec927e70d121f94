//! The `experts` function.

use deployed::{Deployed, Fatal};
use experts::State;

#[tokio::main]
async fn main() -> Result<(), Fatal> {
    let here = Deployed::boot("experts").await?;
    let state =
        State { catalog: here.catalog.clone(), clock: here.boot.clock.clone(), ids: here.boot.ids.clone() };
    deployed::serve(experts::router(state, here.gate(), here.ping())).await
}
