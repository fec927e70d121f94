//! The migrator as a Lambda function.

use catalog::{Catalog, DatabaseUrl};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use runtime::Scope;
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let boot = runtime::boot("migrator").await?;
    let arn = boot.env.collect(|e| e.req("DATABASE_SECRET_ARN"))?;
    let secret = aws::Secrets::new(&boot.sdk).secret_string(&arn).await?;
    let catalog = &Catalog::connect_lazy(&DatabaseUrl::parse(&secret)?, 1);

    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let scope = Scope::new(&event.context.request_id);
        scope.run(migrator::handle(catalog, &event.payload)).await.map_err(Error::from)
    }))
    .await
}
