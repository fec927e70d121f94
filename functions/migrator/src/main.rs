//! The migrator as a Lambda function.

use std::sync::Arc;

use aws::Secrets;
use catalog::LazyCatalog;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use runtime::Scope;
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let boot = runtime::boot("migrator")?;
    let sdk = runtime::sdk_config(&boot.env).await?;
    let arn = boot.env.collect(|e| e.req("DATABASE_SECRET_ARN"))?;
    let secrets = Arc::new(Secrets::new(&sdk));
    let catalog = &LazyCatalog::new(move || {
        let (secrets, arn) = (secrets.clone(), arn.clone());
        async move { secrets.secret_string(&arn).await }
    });
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let work = async { migrator::handle(catalog.get().await?, &event.payload).await };
        Scope::new(&event.context.request_id).run(work).await.map_err(Error::from)
    }))
    .await
}
