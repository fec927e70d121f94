//! Keys of items and indexes.

use app::ports::Window;
use chrono::{DateTime, SecondsFormat};
use domain::{NodeKey, RunId, TeamId, Timestamp, VersionId};
use engine::{Attempt, Digest, Revision, StepRecord};
use sha2::{Digest as _, Sha256};

pub(crate) const PK: &str = "pk";
pub(crate) const SK: &str = "sk";
pub(crate) const RUN: &str = "RUN#";
pub(crate) const CONTROL: &str = "RUN";
pub(crate) const INPUTS: &str = "RUN#INPUTS";
pub(crate) const STEP: &str = "STEP#";
pub(crate) const VERSION: &str = "VERSION";
pub(crate) const IDEM: &str = "IDEM";
pub(crate) const CHALLENGE: &str = "CODE";
pub(crate) const ANSWER: &str = "ANSWER";
pub(crate) const ADMITTED: &str = "ADMITTED";
pub(crate) const SLOTS: &str = "SLOTS";

/// How coarse `by_check` is, in seconds.
const CHECK_GRID_S: i64 = 30;

/// Partitions of `by_check`.
const CHECK_SHARDS: u128 = 8;

pub(crate) fn run_pk(id: RunId) -> String {
    format!("{RUN}{id}")
}

/// The run whose items have this partition key.
pub(crate) fn run_of(pk: &str) -> Option<RunId> {
    pk.strip_prefix(RUN)?.parse().ok()
}

pub(crate) fn version_pk(id: VersionId) -> String {
    format!("VERSION#{id}")
}

pub(crate) fn idem_pk(team: TeamId, key: &str) -> String {
    format!("IDEM#{team}#{key}")
}

pub(crate) fn admit_pk(team: TeamId) -> String {
    format!("ADMIT#{team}")
}

/// The partition of the runs that wait for admission, each by its id.
pub(crate) fn line_pk(team: TeamId) -> String {
    format!("WAIT#{team}")
}

/// Where it stands who of a team has how many calls under way.
pub(crate) fn slots_pk(team: TeamId) -> String {
    format!("SLOTS#{team}")
}

/// The partition of a team's credentials, each by its name.
pub(crate) fn secret_pk(team: TeamId) -> String {
    format!("SECRET#{team}")
}

pub(crate) fn challenge_pk(key: &str) -> String {
    format!("CODE#{key}")
}

pub(crate) fn answer_pk(key: &str) -> String {
    format!("ANSWER#{key}")
}

pub(crate) fn count_pk(key: &str) -> String {
    format!("COUNT#{key}")
}

/// Named by the window's length and its end in epoch seconds.
pub(crate) fn count_sk(window: &Window) -> String {
    format!("WINDOW#{}#{}", window.length_s, window.ends_on.timestamp())
}

/// Named by the commit too, so that what a commit that lost has written replaces nothing of one that won.
pub(crate) fn step_sk(node: &NodeKey, attempt: Attempt, digest: &Digest, settled_at: Revision) -> String {
    let digest: String = digest.as_str().chars().take(16).collect();
    format!("{STEP}{node}#{attempt}#{digest}#{settled_at}")
}

/// The sort key of a record.
pub(crate) fn record_sk(record: &StepRecord) -> String {
    step_sk(&record.node, record.attempt, &record.digest, record.settled_at)
}

/// A short name for a step record. The control item lists retried attempts by it: 500 nodes with 10 retries stay under 100 KB.
pub(crate) fn step_name(sk: &str) -> String {
    hex::encode(&Sha256::digest(sk)[..8])
}

pub(crate) fn check_pk(id: RunId) -> String {
    check_shard(id.uuid().as_u128() % CHECK_SHARDS)
}

/// Every partition of `by_check`.
pub(crate) fn check_shards() -> impl Iterator<Item = String> {
    (0..CHECK_SHARDS).map(check_shard)
}

fn check_shard(n: u128) -> String {
    format!("open#{n}")
}

/// The time of a check on the grid, never later than the check.
pub(crate) fn check_at(check: Timestamp) -> String {
    let on_grid = check.timestamp().div_euclid(CHECK_GRID_S) * CHECK_GRID_S;
    DateTime::from_timestamp(on_grid, 0).unwrap_or(check).to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_rounded_down_to_half_a_minute() {
        for (check, at) in [
            ("2026-02-02T03:04:00Z", "2026-02-02T03:04:00Z"),
            ("2026-02-02T03:04:29.999Z", "2026-02-02T03:04:00Z"),
            ("2026-02-02T03:04:30.001Z", "2026-02-02T03:04:30Z"),
        ] {
            assert_eq!(check_at(check.parse().unwrap()), at);
        }
    }
}
