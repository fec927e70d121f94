//! The run store on one DynamoDB table, with large values in [`Blobs`](app::ports::Blobs).
//!
//! | pk | sk | attributes beside the keys |
//! |---|---|---|
//! | `RUN#<id>` | `RUN` | control item: `state` (JSON of [`engine::Run`]), `revision`, `team_id`, `commit_id`, `retried`, `summary`, index keys, `exported` |
//! | `RUN#<id>` | `RUN#INPUTS` | `inputs` |
//! | `RUN#<id>` | `STEP#<node>#<attempt>#<digest16>` | `record` (JSON of [`engine::StepRecord`] without its output), `output` |
//! | `VERSION#<id>` | `VERSION` | `version` (JSON), `team_id` |
//! | `IDEM#<team>#<key>` | `IDEM` | `run_id`, `request`, `expires_at` (epoch seconds, the table's TTL) |
//! | `ADMIT#<team>` | `ADMITTED` | `runs`: the set of the runs that are under way, of a team with a limit |
//! | `WAIT#<team>` | `<run>` | none: a run that waits |
//! | `SECRET#<team>` | `<name>` | `order`; of a credential that is there, all sealed: `version`, `ciphertext`, `nonce`, `key_id`, `wrapped_key`, `master_key_id` |
//! | `COUNT#<key>` | `WINDOW#<length>#<end>` | `count`, `expires_at` |
//! | `ANSWER#<key>` | `ANSWER` | `request`, `expires_at`; once it was answered `status`, `headers` (JSON), `body` |
//! | `CODE#<key>` | `CODE` | `challenge` (its id), `mac`, `purpose`, `tries`, `expires_at`, `ip`, `user_agent` |
//!
//! One strongly consistent query with `sk >= "RUN"` reads a run: its control item first, so every step record that it names is
//! there already. `LOG#` is reserved and sorts before. JSON is a string, or deflated bytes where that is less; what may be large is either,
//! or `{sha256, bytes}` of a blob.
//!
//! **Which records count.** Workers write step records before they commit, so a lost race leaves records behind. A reader
//! follows the control item: the record of a settled node is the one with its attempt and digest. Earlier attempts are not named by
//! the control state; their records' names (16 hex digits each) are added to the set `retried` by the very commit they belong
//! to. Two workers that settle the same attempt in the same way write the same record; only its times may be the other's.
//!
//! **Who won.** The SDK repeats a request that timed out, and a commit that had been executed would then fail its own
//! condition. Each commit therefore writes an id of its own (`commit_id`), and the failed condition answers with the stored item: if it
//! carries our id, we had won. The state itself would not do, since two workers can decide exactly the same.
//!
//! **Indexes** of lists project the ids and `summary`, which changes when a run's status does. DynamoDB writes an index only when something in
//! it changes, so that an ordinary commit costs no index write.
//! - `by_team` (`team_id`, `created_sk` = [`RunPosition`](app::position::RunPosition)) and `by_workflow` (`workflow_id`, the same).
//! - `by_check` (`check_pk` = `open#0` … `open#7`, `check_at` RFC 3339): runs by their next check, rounded *down* to 30 s, with `team_id`: open ones,
//!   and ended ones of which something is left to do. A run whose lease moves on with every step then moves in the index twice a minute at
//!   most, and nobody must know the stored value to write it. A check that comes up to 30 s early finds a live lease and waits for its end.

mod admissions;
mod challenges;
mod commit;
mod compact;
mod counters;
mod create;
mod ended;
mod error;
mod items;
mod kept_answers;
mod keys;
mod list;
mod load;
mod question;
mod secret_copies;
mod spill;
mod step_slots;
mod store;
mod versions;

pub use admissions::DynamoAdmissions;
pub use challenges::DynamoChallenges;
pub use counters::DynamoCounters;
pub use kept_answers::DynamoAnswers;
pub use secret_copies::DynamoSecrets;
pub use store::DynamoRunStore;
