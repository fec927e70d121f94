//! `heddle audit`

use catalog::Verified;

use crate::{
    cli::{Audit, AuditCommand, VerifyAudit},
    exit::{Exit, Trouble},
    stores::Postgres,
    terminal::Stream,
};

/// Does what is asked of the log.
pub(crate) async fn execute(args: Audit) -> Result<Exit, Trouble> {
    match args.command {
        AuditCommand::Verify(args) => verify(&args).await,
    }
}

async fn verify(args: &VerifyAudit) -> Result<Exit, Trouble> {
    let postgres = Postgres::find(&args.database, 1).await?;
    postgres.expect_migrated().await?;
    let verified = postgres.catalog().audit_verify(args.team).await;
    let verified = verified.map_err(|error| postgres.refuses(error))?;
    for line in lines(&verified) {
        Stream::Out.line(&line);
    }
    Ok(if verified.broken_at.is_none() { Exit::Succeeded } else { Exit::Failed })
}

fn lines(Verified { entries, head, broken_at }: &Verified) -> Vec<String> {
    let found = match broken_at {
        None => format!("{entries} entries, each as it was written"),
        Some(number) => {
            format!("entry {number} of {entries} is not what it was, or does not follow the one before it")
        }
    };
    let head = head.as_ref().map(|head| format!("head {}", hex::encode(head)));
    [Some(found), head].into_iter().flatten().collect()
}
