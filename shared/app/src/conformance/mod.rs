//! What every implementation of a port must do. The macros make one test of each rule:
//!
//! ```ignore
//! mod memory {
//!     app::run_store_suite!(async { MemoryRunStore::default() });
//! }
//! ```
//!
//! The expression is evaluated for each test and gives a future of a store that is the test's own.

#![allow(missing_docs, reason = "the name of each rule is its sentence")]
#![allow(clippy::unwrap_used, reason = "these are bodies of tests")]

pub mod blobs;
pub mod run_store;
pub mod runs;
pub mod versions;

/// One `#[tokio::test]` per rule of [`RunStore`](crate::ports::RunStore).
#[macro_export]
macro_rules! run_store_suite {
    ($store:expr) => {
        $crate::conformance_tests!($store, run_store: [
            a_created_run_is_read_back_with_its_inputs,
            a_run_of_another_team_is_not_found,
            a_run_is_created_once,
            a_commit_replaces_the_state_and_shows_its_records,
            a_lost_commit_leaves_nothing_visible,
            of_equal_commits_at_once_exactly_one_is_accepted,
            a_commit_of_another_team_is_refused,
            a_null_output_is_an_output,
            a_failure_is_seen_as_data_and_a_default_in_its_place,
            numbers_come_back_exactly,
            values_of_megabytes_come_back,
            long_notes_come_back,
            a_commit_may_settle_a_hundred_nodes,
            it_answers_a_ping,
        ]);
        $crate::conformance_tests!($store, runs: [
            a_key_gives_the_same_run_for_the_same_request,
            an_expired_key_may_be_used_again,
            starts_at_once_with_one_key_create_one_run,
            pages_are_newest_first_and_complete,
            runs_of_one_instant_are_not_lost_between_pages,
            a_page_is_filled_although_few_runs_match,
            lists_show_the_last_commit,
            a_filter_never_shows_another_teams_runs,
            a_forged_cursor_is_refused,
        ]);
        $crate::conformance_tests!($store, versions: [
            a_version_is_read_back,
            a_version_of_another_team_is_not_found,
            a_version_never_changes,
            a_version_of_megabytes_comes_back,
        ]);
    };
}

/// One `#[tokio::test]` per rule of [`Blobs`](crate::ports::Blobs).
#[macro_export]
macro_rules! blobs_suite {
    ($blobs:expr) => {
        $crate::conformance_tests!($blobs, blobs: [
            bytes_are_read_back,
            storing_again_changes_nothing,
            an_unknown_blob_is_not_found,
            a_blob_of_another_team_is_not_found,
        ]);
    };
}

/// Expands to one test per named rule of a module of [`conformance`](crate::conformance).
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($port:expr, $rules:ident: [$($rule:ident),* $(,)?]) => {
        $(
            #[tokio::test]
            async fn $rule() {
                $crate::conformance::$rules::$rule(&$port.await).await;
            }
        )*
    };
}
