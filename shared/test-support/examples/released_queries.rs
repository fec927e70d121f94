//! Checks that the code which was released last could still serve on the schema of this tree (docs/migrations.md): a deployment migrates before
//! the new code is there. Every query that the release was built with is given to a database with all of this tree's migrations.
//!
//! `HEDDLE_TEST_DATABASE_URL=postgres://… cargo run -p test-support --example released_queries`
//!
//! The release is the newest tag `v*` before this commit. Until there is one, it is the commit that `shared/catalog/released` names.

use std::{
    fs,
    io::{Error, Result},
    path::Path,
    process::Command,
};

use serde_json::Value;
use test_support::metadata::{database_of_all, stumbling_block};

#[tokio::main]
async fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let release = release(&root)?;
    let database = database_of_all(&root).await;
    let (mut count, mut blocks) = (0, Vec::new());
    for file in git(&root, &["ls-tree", "--name-only", &release, ".sqlx/"])?.lines() {
        let text = git(&root, &["show", &format!("{release}:{file}")])?;
        let stored: Value = serde_json::from_str(&text)?;
        blocks.extend(stumbling_block(&stored, &database).await);
        count += 1;
    }
    if count == 0 {
        return Err(Error::other(format!("{release} has no queries")));
    }
    if blocks.is_empty() {
        eprintln!("{count} queries of {release} work on the schema of this tree");
        return Ok(());
    }
    Err(Error::other(format!("the code of {release} could not serve:\n{}", blocks.join("\n"))))
}

fn release(root: &Path) -> Result<String> {
    if let Ok(tag) = git(root, &["describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD~1"]) {
        return Ok(tag.trim().to_owned());
    }
    let named = fs::read_to_string(root.join("shared/catalog/released"))?;
    named
        .lines()
        .find(|line| !line.starts_with('#'))
        .map(|commit| commit.trim().to_owned())
        .ok_or_else(|| Error::other("shared/catalog/released names no commit"))
}

fn git(root: &Path, arguments: &[&str]) -> Result<String> {
    let done = Command::new("git").args(arguments).current_dir(root).output()?;
    if done.status.success() {
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    } else {
        Err(Error::other(format!(
            "git {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&done.stderr).trim()
        )))
    }
}
