//! `.sqlx/` says what the database says: the check that it is not stale (docs/migrations.md).

use std::{fs, path::Path};

use catalog::MIGRATOR;
use serde_json::{Value, to_value};
use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _};
use test_support::TestDatabase;

#[tokio::test]
async fn the_query_metadata_is_what_the_migrated_schema_gives_and_every_query_is_in_use() {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let database = TestDatabase::create(&MIGRATOR).await;
    let sources: String = fs::read_dir(crate_dir.join("src"))
        .unwrap()
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();

    let mut count = 0;
    for file in fs::read_dir(crate_dir.join("../../.sqlx")).unwrap() {
        let file = file.unwrap().path();
        let stored: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let query = stored["query"].as_str().unwrap();
        assert!(sources.contains(query), "{} is of a query that is gone: {query}", file.display());
        let sql = AssertSqlSafe(query.to_owned()).into_sql_str();
        let described =
            database.pool().describe(sql).await.unwrap_or_else(|error| panic!("{query}: {error}"));
        assert_eq!(to_value(&described).unwrap(), stored["describe"], "{query}");
        count += 1;
    }
    assert!(count > 0);
}
