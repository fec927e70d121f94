//! The query metadata that this crate is built with is not stale (docs/migrations.md).

use catalog::MIGRATOR;
use serde_json::{Value, json, to_value};
use sqlx::{Connection as _, Executor as _, SqlSafeStr as _};
use test_support::{
    TestDatabase,
    metadata::{check_queries, stumbling_block},
};

#[tokio::test]
async fn the_query_metadata_is_what_the_migrated_schema_gives_and_every_query_is_in_use() {
    check_queries(env!("CARGO_MANIFEST_DIR"), &TestDatabase::create(&MIGRATOR).await).await;
}

#[tokio::test]
async fn a_migration_that_old_code_would_stumble_over_is_found() {
    const QUERY: &str = "select name, description from teams where id = $1";
    for (migration, stumbles) in [
        ("alter table teams add column colour text not null default ''", None),
        ("alter table teams drop column description", Some("does not exist")),
        ("alter table teams rename column name to title", Some("does not exist")),
        ("alter table teams alter column description type varchar(20)", Some("other types")),
        ("alter table teams alter column description drop not null", Some("may be null now")),
    ] {
        let database = TestDatabase::create(&MIGRATOR).await;
        // A connection of its own, since one remembers what it was told of a query.
        let mut before = sqlx::PgConnection::connect(&database.url()).await.unwrap();
        let described = before.describe(QUERY.into_sql_str()).await.unwrap();
        let stored: Value = json!({"query": QUERY, "describe": to_value(&described).unwrap()});
        database.pool().execute(migration).await.unwrap();
        let found = stumbling_block(&stored, &database).await;
        let matches = match (&found, stumbles) {
            (Some(found), Some(why)) => found.contains(why),
            (found, why) => found.is_none() && why.is_none(),
        };
        assert!(matches, "{migration}: {found:?}");
    }
}
