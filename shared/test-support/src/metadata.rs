//! The check that `.sqlx/` says what the database says (docs/migrations.md).

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, to_value};
use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _};

use crate::TestDatabase;

/// Compares the stored metadata of a crate's queries with what its migrated database says of them. Panics with the query that differs,
/// or that no crate has any more. `manifest_dir` is the crate's own folder under `shared/`.
pub async fn check_queries(manifest_dir: &str, database: &TestDatabase) {
    let crate_dir = Path::new(manifest_dir);
    let (ours, all) = (sources(&crate_dir.join("src")), sources(&crate_dir.join("..")));
    let mut count = 0;
    for file in entries(&crate_dir.join("../../.sqlx")) {
        let stored: Value = serde_json::from_str(&read(&file)).expect("metadata is JSON");
        let query = stored["query"].as_str().expect("metadata names its query");
        assert!(all.contains(query), "{} is of a query that is gone: {query}", file.display());
        if ours.contains(query) {
            let sql = AssertSqlSafe(query.to_owned()).into_sql_str();
            let described =
                database.pool().describe(sql).await.unwrap_or_else(|error| panic!("{query}: {error}"));
            assert_eq!(to_value(&described).expect("a description is JSON"), stored["describe"], "{query}");
            count += 1;
        }
    }
    assert!(count > 0, "{manifest_dir} has no query");
}

/// All Rust and SQL below a folder.
fn sources(folder: &Path) -> String {
    entries(folder)
        .into_iter()
        .map(|path| match path.extension().and_then(|extension| extension.to_str()) {
            _ if path.is_dir() => sources(&path),
            Some("rs" | "sql") => read(&path),
            _ => String::new(),
        })
        .collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("a readable folder").path()).collect()
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
