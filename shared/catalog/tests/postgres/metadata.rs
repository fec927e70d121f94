//! The query metadata that this crate is built with is not stale (docs/migrations.md).

use catalog::MIGRATOR;
use test_support::{TestDatabase, metadata::check_queries};

#[tokio::test]
async fn the_query_metadata_is_what_the_migrated_schema_gives_and_every_query_is_in_use() {
    check_queries(env!("CARGO_MANIFEST_DIR"), &TestDatabase::create(&MIGRATOR).await).await;
}
