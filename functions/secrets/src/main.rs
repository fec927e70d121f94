//! The `secrets` function.

mod config;

use std::sync::Arc;

use deployed::{Deployed, Fatal};
use runstore::DynamoSecrets;
use secrets::State;
use vault::{Keeper, MasterRing, SecretTeller};

use config::Config;

#[tokio::main]
async fn main() -> Result<(), Fatal> {
    let here = Deployed::boot("secrets").await?;
    let config = Config::from_env(&here.boot.env)?;
    let (boot, catalog) = (&here.boot, &here.catalog);
    let copies = Arc::new(DynamoSecrets::new(here.dynamo.clone(), config.run_table));
    let keeper = Keeper::new(
        catalog.clone(),
        catalog.clone(),
        Arc::new(SecretTeller::new(catalog.clone(), copies)),
        MasterRing::creating(here.secrets.clone(), boot.clock.clone(), boot.entropy.clone()),
        boot.ids.clone(),
        boot.entropy.clone(),
    );
    let state = State { keeper: Arc::new(keeper), clock: boot.clock.clone(), ids: boot.ids.clone() };
    deployed::serve(secrets::router(state, here.gate(), here.ping())).await
}
