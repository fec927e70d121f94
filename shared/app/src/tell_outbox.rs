//! Tells what was committed but not told yet: right after the change by whoever made it, and later by `maintenance`, should that have failed.

use std::sync::Arc;

use domain::TeamId;

use crate::ports::{Outbox, StoreError, Teller};

/// Pairs of a team and a kind that are looked at in one turn.
const AT_ONCE: u32 = 100;

/// Tells all entries of a kind that a team has; how many. The first failure ends it, and what is left is due again later.
pub async fn tell_outbox<T: Teller + ?Sized>(
    outbox: &dyn Outbox,
    teller: &T,
    team: TeamId,
) -> Result<usize, StoreError> {
    let taken = outbox.outbox_take(team, teller.kind()).await?;
    let ids: Vec<_> = taken.entries.iter().map(|entry| entry.id).collect();
    if ids.is_empty() {
        return Ok(0);
    }
    for (told, entry) in taken.entries.iter().enumerate() {
        if let Err(error) = teller.tell(team, taken.order, &entry.payload).await {
            outbox.outbox_failed(team, &ids[told..], &error.to_string()).await?;
            outbox.outbox_told(team, &ids[..told]).await?;
            return Err(error);
        }
    }
    outbox.outbox_told(team, &ids).await?;
    Ok(ids.len())
}

/// Tells what is due of all teams; how many entries. One that can't be told keeps no other from being told.
pub async fn tell_due<T: Teller + ?Sized>(
    outbox: &dyn Outbox,
    tellers: &[Arc<T>],
) -> Result<usize, StoreError> {
    let mut told = 0;
    for (team, kind) in outbox.outbox_due(AT_ONCE).await? {
        let Some(teller) = tellers.iter().find(|teller| teller.kind() == kind) else {
            tracing::error!(%team, kind, "an entry of the outbox is of a kind that nobody tells");
            continue;
        };
        match tell_outbox(outbox, &**teller, team).await {
            Ok(more) => told += more,
            Err(error) => tracing::warn!(%team, kind, %error, "an entry of the outbox could not be told"),
        }
    }
    Ok(told)
}
