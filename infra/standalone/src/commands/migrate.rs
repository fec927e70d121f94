//! `heddle migrate`

use crate::{
    cli::Database,
    exit::{Exit, Trouble},
    stores::Postgres,
    terminal::Stream,
};

/// Prints each migration that was applied.
pub(crate) async fn execute(args: Database) -> Result<Exit, Trouble> {
    let applied = Postgres::find(&args, 1).await?.migrate().await?;
    for migration in &applied {
        Stream::Out.line(&format!("applied {migration}"));
    }
    Stream::Out.line(match applied.len() {
        0 => "the database was at the schema of this version",
        _ => "the database is at the schema of this version",
    });
    Ok(Exit::Succeeded)
}
