//! What every implementation of a port must do. The macros make one test of each rule:
//!
//! ```ignore
//! mod memory {
//!     app::run_store_suite!(async { MemoryRunStore::default() });
//! }
//! ```
//!
//! The expression is evaluated for each test and gives a future of a store that is the test's own; or of a world that holds
//! it, with the function that finds it there.

#![allow(missing_docs, reason = "the name of each rule is its sentence")]
#![allow(clippy::unwrap_used, reason = "these are bodies of tests")]

pub mod accounts;
pub mod admissions;
pub mod annotations;
pub mod blobs;
pub mod challenges;
pub mod counters;
pub mod dead_letters;
pub mod kept_answers;
pub mod mail;
pub mod retention;
pub mod run_store;
pub mod runs;
pub mod sealed_secrets;
pub mod secrets;
pub mod sessions;
pub mod step_queue;
pub mod step_slots;
pub mod timers;
pub mod versions;

/// One `#[tokio::test]` per rule of [`RunStore`](crate::ports::RunStore).
#[macro_export]
macro_rules! run_store_suite {
    ($store:expr) => {
        $crate::run_store_suite!($store, std::convert::identity);
    };
    ($store:expr, $of:expr) => {
        $crate::conformance_tests!($store, $of, run_store: [
            a_created_run_is_read_back_with_its_inputs,
            a_run_of_another_team_is_not_found,
            a_run_is_created_once,
            a_commit_replaces_the_state_and_shows_its_records,
            records_are_read_without_their_outputs,
            a_lost_commit_leaves_nothing_visible,
            of_equal_commits_at_once_exactly_one_is_accepted,
            a_commit_of_another_team_is_refused,
            a_null_output_is_an_output,
            a_failure_is_seen_as_data_and_a_default_in_its_place,
            numbers_come_back_exactly,
            values_of_megabytes_come_back,
            long_notes_come_back,
            a_commit_may_settle_a_hundred_nodes,
            a_run_is_overdue_after_its_check_and_an_ended_one_until_it_is_closed,
            it_answers_a_ping,
        ]);
        $crate::conformance_tests!($store, $of, runs: [
            a_key_gives_the_same_run_for_the_same_request,
            an_expired_key_may_be_used_again,
            starts_at_once_with_one_key_create_one_run,
            pages_are_newest_first_and_complete,
            runs_of_one_instant_are_not_lost_between_pages,
            a_page_is_filled_although_few_runs_match,
            lists_show_the_last_commit,
            lists_show_why_a_run_failed,
            a_filter_takes_several_statuses,
            a_filter_knows_what_started_a_run,
            a_span_of_time_begins_with_its_first_instant_and_ends_before_its_last,
            a_search_finds_ids_errors_and_workflows,
            a_filter_never_shows_another_teams_runs,
            a_forged_cursor_is_refused,
        ]);
        $crate::conformance_tests!($store, $of, versions: [
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

/// One `#[tokio::test]` per rule of [`EndedRuns`](crate::ports::EndedRuns).
#[macro_export]
macro_rules! ended_runs_suite {
    ($store:expr) => {
        $crate::ended_runs_suite!($store, std::convert::identity);
    };
    ($store:expr, $of:expr) => {
        $crate::conformance_tests!($store, $of, retention: [
            runs_are_found_by_their_end_and_the_first_accepted_comes_first,
            an_export_is_noted_for_good_and_for_its_team_alone,
            an_open_run_is_neither_noted_nor_deleted,
            a_deleted_run_is_gone_and_others_are_not,
        ]);
    };
}

/// One `#[tokio::test]` per rule of [`Exports`](crate::ports::Exports).
#[macro_export]
macro_rules! exports_suite {
    ($exports:expr) => {
        $crate::conformance_tests!($exports, retention: [a_file_is_read_back_by_its_team_alone]);
    };
}

/// One `#[tokio::test]` per rule of [`Timers`](crate::ports::Timers), of a [`TimerWorld`](timers::TimerWorld) whose clock
/// can be moved.
#[macro_export]
macro_rules! timers_suite {
    ($world:expr) => {
        $crate::conformance_tests!($world, timers: [
            a_message_arrives_when_it_is_due_and_the_timer_is_gone,
            nothing_arrives_before_it_is_due,
            a_time_that_has_passed_is_due_at_once,
            putting_again_replaces_the_timer,
            a_deleted_timer_never_fires,
            timers_that_are_due_at_once_all_fire,
            a_recurring_timer_fires_at_each_occurrence,
            occurrences_that_were_missed_are_made_up_for_by_one,
        ]);
    };
}

/// One `#[tokio::test]` per rule of [`DeploymentSecrets`](crate::ports::DeploymentSecrets). The expression gives an array of
/// two users of the same secrets.
#[macro_export]
macro_rules! secrets_suite {
    ($users:expr) => {
        $crate::conformance_tests!($users, secrets: [
            a_secret_is_read_back_as_it_is,
            a_secret_that_does_not_exist_is_not_found,
            the_first_text_stays,
            of_creators_at_once_one_wins_and_all_get_its_text,
        ]);
    };
}

/// One `#[tokio::test]` per rule of [`SealedSecrets`](crate::ports::SealedSecrets), of a [`SealedWorld`](sealed_secrets::SealedWorld).
#[macro_export]
macro_rules! sealed_secrets_suite {
    ($world:expr) => {
        $crate::conformance_tests!($world, sealed_secrets: [
            a_secret_comes_with_its_key_in_its_highest_version,
            a_secret_is_its_teams,
            a_deleted_secret_may_begin_again,
        ]);
    };
}

/// One `#[tokio::test]` per rule of [`SecretCopies`](crate::ports::SecretCopies), of copies that are read as sealed credentials are.
#[macro_export]
macro_rules! secret_copies_suite {
    ($copies:expr) => {
        $crate::conformance_tests!($copies, sealed_secrets: [
            what_was_seen_earlier_does_not_take_the_place_of_what_was_seen_later,
        ]);
    };
}

/// One `#[tokio::test]` per rule of [`Mailer`](crate::ports::Mailer), of a [`MailWorld`](mail::MailWorld).
#[macro_export]
macro_rules! mail_suite {
    ($world:expr) => {
        $crate::conformance_tests!($world, mail: [
            a_mail_arrives_as_it_was_sent,
            html_stands_beside_the_text,
            a_subject_of_the_greatest_length_stays_one_line,
            each_mail_is_a_message_of_its_own,
        ]);
    };
}

/// One `#[tokio::test]` per rule of [`Counters`](crate::ports::Counters). The expression gives the counters and the
/// [`ManualClock`](crate::fakes::ManualClock) they read.
#[macro_export]
macro_rules! counters_suite {
    ($counters:expr) => {
        $crate::conformance_tests!($counters, counters: [
            additions_sum_up_within_a_window,
            a_key_that_was_never_counted_is_at_zero,
            keys_and_lengths_of_windows_are_apart,
            a_window_ends_and_the_next_starts_at_zero,
            additions_at_once_are_all_counted,
        ]);
    };
}

/// One `#[tokio::test]` per rule of [`StepQueue`](crate::ports::StepQueue) with its [`StepInbox`](crate::ports::StepInbox).
#[macro_export]
macro_rules! step_queue_suite {
    ($queue:expr) => {
        $crate::step_queue_suite!($queue, std::convert::identity);
    };
    ($queue:expr, $of:expr) => {
        $crate::conformance_tests!($queue, $of, step_queue: [
            every_hint_arrives_once,
            a_hint_without_a_node_arrives_as_it_was,
            hints_of_every_class_arrive_as_they_were,
            a_delayed_hint_comes_when_its_time_has_come,
            a_message_that_is_not_done_comes_back_with_its_count,
            a_released_message_comes_back_at_once,
            a_message_that_was_received_too_often_is_not_received_again,
            what_is_done_twice_is_done,
            sending_nothing_sends_nothing,
        ]);
    };
}

/// One `#[tokio::test]` per rule of [`DeadLetters`](crate::ports::DeadLetters), of a queue that buries what was received three times.
#[macro_export]
macro_rules! dead_letters_suite {
    ($queue:expr) => {
        $crate::dead_letters_suite!($queue, std::convert::identity);
    };
    ($queue:expr, $of:expr) => {
        $crate::conformance_tests!($queue, $of, dead_letters: [
            a_letter_is_seen_by_its_team_only,
            looking_takes_nothing_away,
            a_list_says_whether_it_is_complete,
            a_redriven_letter_is_a_new_message,
            nobody_redrives_anothers_letters,
            all_are_all_of_the_team,
        ]);
    };
}

/// One `#[tokio::test]` per rule of [`Annotations`](crate::ports::Annotations), of an
/// [`AnnotationWorld`](annotations::AnnotationWorld).
#[macro_export]
macro_rules! annotations_suite {
    ($world:expr) => {
        $crate::conformance_tests!($world, annotations: [
            remarks_are_read_back_newest_first,
            remarks_are_their_runs_and_their_teams,
            remarks_come_in_pages,
        ]);
    };
}

/// One `#[tokio::test]` per rule of [`Admissions`](crate::ports::Admissions).
#[macro_export]
macro_rules! admissions_suite {
    ($admissions:expr) => {
        $crate::admissions_suite!($admissions, std::convert::identity);
    };
    ($admissions:expr, $of:expr) => {
        $crate::conformance_tests!($admissions, $of, admissions: [
            as_many_are_let_in_as_there_is_room_for,
            who_waits_is_told_for_whom,
            what_is_in_is_let_in_again,
            who_leaves_makes_room_for_the_first_in_line,
            who_comes_later_waits_behind_the_others,
            who_leaves_the_line_lets_the_others_move_up,
            a_lower_limit_sends_nobody_out,
            teams_do_not_wait_for_each_other,
            of_many_at_once_no_more_are_let_in_than_there_is_room_for,
        ]);
    };
}

/// One `#[tokio::test]` per rule of [`StepSlots`](crate::ports::StepSlots).
#[macro_export]
macro_rules! step_slots_suite {
    ($slots:expr) => {
        $crate::step_slots_suite!($slots, std::convert::identity);
    };
    ($slots:expr, $of:expr) => {
        $crate::conformance_tests!($slots, $of, step_slots: [
            as_many_slots_are_handed_out_as_are_left,
            who_asks_again_has_what_it_had,
            what_is_given_back_is_there_for_others,
            what_is_given_back_twice_is_given_back_once,
            slots_are_given_back_by_who_does_not_know_how_many_it_has,
            slots_come_back_when_their_time_is_over,
            a_lower_limit_takes_nothing_away,
            teams_do_not_wait_for_each_others_calls,
            those_who_wait_take_turns_to_look,
            of_many_at_once_no_more_have_slots_than_there_are,
        ]);
    };
}

/// One `#[tokio::test]` per rule of [`Accounts`](crate::ports::Accounts).
#[macro_export]
macro_rules! accounts_suite {
    ($accounts:expr) => {
        $crate::accounts_suite!($accounts, std::convert::identity);
    };
    ($accounts:expr, $of:expr) => {
        $crate::conformance_tests!($accounts, $of, accounts: [
            an_account_is_found_by_each_of_its_names,
            who_is_not_known_is_not_found,
            an_address_has_one_account_whoever_comes_first,
            what_is_not_named_stays,
            a_password_and_a_sign_in_are_noted,
        ]);
    };
}

/// One `#[tokio::test]` per rule of [`Sessions`](crate::ports::Sessions), of a [`SessionWorld`](sessions::SessionWorld).
#[macro_export]
macro_rules! sessions_suite {
    ($world:expr) => {
        $crate::conformance_tests!($world, sessions: [
            a_token_is_replaced_by_the_next_one,
            what_is_no_token_is_refused,
            a_lost_answer_is_given_again_and_changes_nothing,
            a_token_that_is_used_again_later_ends_its_session,
            a_token_whose_successor_was_used_has_no_grace,
            rotations_at_once_come_to_one_token,
            sessions_are_listed_by_their_last_use,
            nobody_ends_anothers_session,
            all_but_one_are_ended_at_once,
            a_long_name_of_a_program_is_cut,
        ]);
    };
}

/// One `#[tokio::test]` per rule of [`Challenges`](crate::ports::Challenges).
#[macro_export]
macro_rules! challenges_suite {
    ($challenges:expr) => {
        $crate::challenges_suite!($challenges, std::convert::identity);
    };
    ($challenges:expr, $of:expr) => {
        $crate::conformance_tests!($challenges, $of, challenges: [
            a_challenge_is_answered_as_it_was_put,
            another_challenge_takes_the_place_of_the_first,
            a_challenge_is_over_at_its_time,
            of_tries_at_once_no_more_are_answered_than_allowed,
            of_takers_at_once_one_wins_and_it_is_gone,
        ]);
    };
}

/// One `#[tokio::test]` per rule of [`KeptAnswers`](crate::ports::KeptAnswers).
#[macro_export]
macro_rules! kept_answers_suite {
    ($answers:expr) => {
        $crate::kept_answers_suite!($answers, std::convert::identity);
    };
    ($answers:expr, $of:expr) => {
        $crate::conformance_tests!($answers, $of, kept_answers: [
            a_request_is_done_once_and_its_answer_given_again,
            a_key_stands_for_one_request,
            of_requests_at_once_one_is_the_first,
            a_request_that_came_to_nothing_may_be_tried_again,
            a_request_that_was_lost_is_begun_again,
            an_answer_is_forgotten_in_time,
        ]);
    };
}

/// Expands to one test per named rule of a module of [`conformance`](crate::conformance).
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($port:expr, $rules:ident: [$($rule:ident),* $(,)?]) => {
        $crate::conformance_tests!($port, std::convert::identity, $rules: [$($rule),*]);
    };
    ($port:expr, $of:expr, $rules:ident: [$($rule:ident),*$(,)?]) => {
        $(
            #[tokio::test]
            async fn $rule() {
                $crate::conformance::$rules::$rule($of(&$port.await)).await;
            }
        )*
    };
}
