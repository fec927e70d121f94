//! Writes `.sqlx/`, the query metadata that lets `catalog` and `embedded` build without a database (docs/migrations.md).
//!
//! `HEDDLE_TEST_DATABASE_URL=postgres://… cargo run -p test-support --example sqlx_prepare`
//!
//! What follows `--` is for the build: `-- --profile local` takes the dependencies that `make test` has built already.
//!
//! Lives here and not in those crates, which do not build while a query of theirs has no metadata yet.

use std::{
    env,
    fs::{self, File},
    io::{Error, Result},
    path::Path,
    process::Command,
    time::SystemTime,
};

use test_support::metadata::{CRATES, database_of_all};

#[tokio::main]
async fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let database = database_of_all(&root).await;
    for name in CRATES {
        touch(&root.join("shared").join(name).join("src/lib.rs"))?;
    }

    // Into a fresh folder first: a query that does not compile must not cost the metadata of those that do.
    let fresh = tempfile::tempdir()?;
    let built = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["check", "--lib"])
        .args(CRATES.iter().flat_map(|name| ["--package", name]))
        .args(env::args_os().skip(1))
        .current_dir(&root)
        .env("SQLX_OFFLINE", "false")
        .env("SQLX_OFFLINE_DIR", fresh.path())
        .env("DATABASE_URL", database.url())
        .status()?;
    if !built.success() {
        return Err(Error::other("a crate does not build against its own migrations"));
    }
    replace(&root.join(".sqlx"), fresh.path())
}

/// Makes cargo compile the crate again, so that every macro asks the database again.
fn touch(file: &Path) -> Result<()> {
    File::options().append(true).open(file)?.set_modified(SystemTime::now())
}

/// Makes the query files in `kept` those in `fresh`.
fn replace(kept: &Path, fresh: &Path) -> Result<()> {
    fs::create_dir_all(kept)?;
    for old in fs::read_dir(kept)? {
        fs::remove_file(old?.path())?;
    }
    let mut count = 0;
    for new in fs::read_dir(fresh)? {
        let new = new?;
        // Text files end with a newline.
        let text = fs::read_to_string(new.path())?;
        fs::write(kept.join(new.file_name()), format!("{}\n", text.trim_end()))?;
        count += 1;
    }
    eprintln!("{count} queries in {}", kept.display());
    Ok(())
}
