//! The check that `.sqlx/` says what the database says (docs/migrations.md).

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, to_value};
use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _, migrate::Migrator};

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

/// The crates with SQL in them.
pub const CRATES: [&str; 2] = ["catalog", "embedded"];

/// A database with the migrations of all [`CRATES`], read from the workspace at `root`.
pub async fn database_of_all(root: &Path) -> TestDatabase {
    let database = TestDatabase::empty().await;
    for name in CRATES {
        let folder = root.join("shared").join(name).join("migrations");
        let mut migrator = Migrator::new(folder).await.expect("readable migrations");
        // Each has books of its own.
        migrator.table_name = format!("migrations_of_{name}").into();
        migrator.run(database.pool()).await.expect("the migrations apply to an empty database");
    }
    database
}

/// What code that was built with this metadata would stumble over in the database as it is now; None where it would not. A column may have
/// become one that is never null, and nothing else about it may have changed.
pub async fn stumbling_block(stored: &Value, database: &TestDatabase) -> Option<String> {
    let query = stored["query"].as_str().expect("metadata names its query");
    let sql = AssertSqlSafe(query.to_owned()).into_sql_str();
    let described = match database.pool().describe(sql).await {
        Ok(described) => to_value(&described).expect("a description is JSON"),
        Err(error) => return Some(format!("{error}: {query}")),
    };
    let stored = &stored["describe"];
    let types = |description: &Value| (types_of(&description["columns"]), description["parameters"].clone());
    let never_null = |description: &Value| {
        let nullable = description["nullable"].as_array().cloned().unwrap_or_default();
        nullable.into_iter().map(|nullable| nullable == false).collect::<Vec<bool>>()
    };
    if types(stored) != types(&described) {
        return Some(format!("other types than before: {query}"));
    }
    let pairs = never_null(stored).into_iter().zip(never_null(&described));
    let may_be_null_now = pairs.into_iter().any(|(before, now)| before && !now);
    may_be_null_now.then(|| format!("may be null now: {query}"))
}

/// Names and types of columns, without where they come from.
fn types_of(columns: &Value) -> Vec<(Value, Value)> {
    let columns = columns.as_array().cloned().unwrap_or_default();
    columns.iter().map(|column| (column["name"].clone(), column["type_info"].clone())).collect()
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
