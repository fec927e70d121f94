//! The `experts` function.

use std::sync::Arc;

use connectors::ChatModels;
use deployed::{Deployed, Fatal};
use experts::State;

#[tokio::main]
async fn main() -> Result<(), Fatal> {
    let here = Deployed::boot("experts").await?;
    let models = ChatModels::new(here.egress(), here.secrets.clone(), here.boot.clock.clone());
    let state = State {
        catalog: here.catalog.clone(),
        models: Arc::new(models),
        clock: here.boot.clock.clone(),
        ids: here.boot.ids.clone(),
    };
    deployed::serve(experts::router(state, here.gate(), here.ping())).await
}
