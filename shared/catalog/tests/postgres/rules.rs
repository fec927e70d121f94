//! What each table refuses by itself (TST-02), where it is not one of the kinds that `schema.rs` tries on all tables.

use crate::full::Full;

/// A statement on our team's rows (see [`Full::fill`]), and the rule that refuses it.
const REFUSED: &[(&str, &str)] = &[
    // Invitations.
    ("update invitations set email = 'Ada@example.com'", "ck_invitations_email"),
    ("update invitations set token_hash = 'x'", "ck_invitations_token_hash"),
    ("update invitations set token_hash = sha256('same')", "uq_invitations_token_hash"),
    (
        "insert into invitations (id, team_id, email, role, token_hash, expires_at)
        values (@teams, @teams, 'new@example.com', 'editor', sha256('other'), now())",
        "uq_invitations_team_id_email",
    ),
    // Services, their segments and end users.
    ("update services set previous_key_expires_at = null", "ck_services_previous_key"),
    ("update services set previous_key_hash = 'x'", "ck_services_previous_key"),
    ("update services set previous_key_hash = sha256('same')", "uq_services_previous_key_hash"),
    (
        "insert into service_segments (id, team_id, service_id, name) values (@teams, @teams, @services, 'g')",
        "uq_service_segments_service_id_name",
    ),
    ("update service_segments set name = ''", "ck_service_segments_name"),
    ("update service_users set segment_hash = 'x'", "ck_service_users_segment_hash"),
    ("update service_users set segment_hash = sha256('same')", "uq_service_users_segment_hash"),
    ("update service_users set version = 2", "ck_service_users_segment_key"),
    ("update service_users set segment_key = '{\"version\": 1}', version = 1", "ck_service_users_segment_key"),
    (
        "update service_users set version = 0, segment_key = '{\"version\": 0, \"properties\": {}}'",
        "ck_service_users_version",
    ),
    (
        "insert into service_users (id, team_id, service_id, user_id, segment_key, segment_hash, version)
        select @teams, team_id, service_id, user_id, segment_key, sha256('x'), version from service_users where id = @service_users",
        "uq_service_users_user_id",
    ),
    // Users: a person or an end user, never both nor neither.
    ("update users set member_id = @members where id = @users", "ck_users_bound"),
    ("update users set service_user_id = null, team_id = null where id = @users", "ck_users_bound"),
    ("update users set team_id = null where id = @users", "ck_users_bound"),
    ("update users set password_hash = '$argon2id$x' where id = @users", "ck_users_bound"),
    (
        "insert into users (id, member_id, password_hash) values (@teams, @members, 'plain')",
        "ck_users_password_hash",
    ),
    (
        "insert into users (id, member_id) values (@teams, @members), (@members, @members)",
        "uq_users_member_id",
    ),
    ("insert into users (id, member_id) values (@teams, @teams)", "fk_users_member_id"),
    // Sessions.
    ("update sessions set refresh_hash = 'x'", "ck_sessions_refresh_hash"),
    ("update sessions set refresh_hash = sha256('same')", "uq_sessions_refresh_hash"),
    ("update sessions set replaced_at = now()", "ck_sessions_replaced"),
    ("update sessions set user_id = @teams", "fk_sessions_user_id"),
    // Drafts that were set aside, and whose the present one is.
    ("update workflow_drafts set based_on = 0", "ck_workflow_drafts_based_on"),
    ("update workflow_drafts set reason = 'lost'", "ck_workflow_drafts_reason"),
    ("update workflow_drafts set actor_id = null", "ck_workflow_drafts_actor"),
    ("update workflow_drafts set actor_kind = 'system'", "ck_workflow_drafts_actor"),
    ("update workflows set edited_by_kind = 'member'", "ck_workflows_edited_by"),
    ("update workflows set edited_by_id = @members", "ck_workflows_edited_by"),
    // Secrets.
    ("update secrets set name = 'no name'", "ck_secrets_name"),
    ("update secrets set version = 0", "ck_secrets_version"),
    ("update secrets set ciphertext = 'x'", "ck_secrets_ciphertext"),
    ("update secrets set nonce = 'x'", "ck_secrets_nonce"),
    ("update secrets set last4 = 'abcde'", "ck_secrets_last4"),
    (
        "insert into secrets (id, team_id, name, version, ciphertext, nonce, key_id, last4)
        select @teams, team_id, name, version, ciphertext, sha256('n')::bytea, key_id, last4 from secrets where id = @secrets",
        "ck_secrets_nonce",
    ),
    (
        "insert into secrets (id, team_id, name, version, ciphertext, nonce, key_id, last4)
        select @teams, team_id, name, version, ciphertext, substr(sha256('n'), 1, 12), key_id, last4
        from secrets where id = @secrets",
        "uq_secrets_team_id_name_version",
    ),
    (
        "insert into secrets (id, team_id, name, version, ciphertext, nonce, key_id, last4)
        select @teams, team_id, name, 2, ciphertext, nonce, key_id, last4 from secrets where id = @secrets",
        "uq_secrets_key_id_nonce",
    ),
    ("delete from team_data_keys where id = @team_data_keys", "fk_secrets_key_id"),
    ("update team_data_keys set wrapped_key = 'short'", "ck_team_data_keys_wrapped_key"),
    ("update team_data_keys set master_key_id = ''", "ck_team_data_keys_master_key_id"),
    // Logs.
    ("update audit_log set action = 'x'", "ck_audit_log_immutable"),
    ("delete from audit_log", "ck_audit_log_immutable"),
    ("truncate audit_log", "ck_audit_log_immutable"),
    (
        "insert into audit_log (id, team_id, actor_kind, action, resource_kind, outcome, created_on)
        values (@teams, @teams, 'member', 'a', 'r', 'allowed', now())",
        "ck_audit_log_actor",
    ),
    ("update activity set actor_id = null", "ck_activity_actor"),
    ("update activity set resource_id = @teams", "ck_activity_resource"),
    ("update outbox set attempts = -1", "ck_outbox_attempts"),
    // The gallery.
    ("update profiles set handle = 'No Handle'", "ck_profiles_handle"),
    ("update profiles set handle = 'same'", "uq_profiles_handle"),
    (
        "insert into profiles (id, member_id, handle, display_name) values (@teams, @members, 'other', 'd')",
        "uq_profiles_member_id",
    ),
    ("update templates set published_at = now()", "ck_templates_published"),
    (
        "insert into template_versions (id, team_id, template_id, number, graph)
        values (@teams, @teams, @templates, 1, '{}')",
        "uq_template_versions_template_id_number",
    ),
    ("update installations set version_id = @teams", "fk_installations_version_id"),
    ("update installations set version_id = null", "fk_installations_version_id"),
    (
        "insert into submissions (id, team_id, template_id, version_id)
        values (@teams, @teams, @templates, @template_versions)",
        "uq_submissions_version_id",
    ),
    (
        "insert into referrals (id, team_id, template_id, source, kind, day)
        values (@teams, @teams, @templates, 's', 'view', '2026-01-01')",
        "uq_referrals_team_id_template_id_day_kind_source",
    ),
    // Knowledge and files.
    ("update files set status = 'stored'", "ck_files_status"),
    ("update files set storage_key = 'same'", "uq_files_storage_key"),
    ("update files set size_bytes = -1", "ck_files_size_bytes"),
    (
        "insert into collections (id, team_id, name, embedding_model, dimensions) values (@teams, @teams, 'c', 'm', 3)",
        "uq_collections_team_id_name",
    ),
    ("update collections set dimensions = 0", "ck_collections_dimensions"),
    ("update documents set status = 'failed'", "ck_documents_error"),
    ("update chunks set embedding = array[1, null]::real[]", "ck_chunks_embedding"),
    ("update chunks set embedding = array[[1], [2]]::real[]", "ck_chunks_embedding"),
    (
        "insert into chunks (id, team_id, collection_id, document_id, ordinal, text)
        values (@teams, @teams, @collections, @documents, 0, 't')",
        "uq_chunks_document_id_ordinal",
    ),
    // Tools and chat.
    ("update mcp_servers set transport = 'stdio'", "ck_mcp_servers_transport"),
    ("update mcp_servers set url = 'file:///etc/passwd'", "ck_mcp_servers_url"),
    (
        "insert into mcp_servers (id, team_id, name, url) values (@teams, @teams, 'm', 'https://example.com')",
        "uq_mcp_servers_team_id_name",
    ),
    (
        "insert into webhooks (id, team_id, workflow_id, name, secret_name) values (@teams, @teams, @workflows, 'h', 'HOOK')",
        "uq_webhooks_team_id_workflow_id_name",
    ),
    ("update webhooks set secret_name = 'no name'", "ck_webhooks_secret_name"),
    ("update chat_sessions set expert_id = null", "ck_chat_sessions_with"),
    ("update chat_sessions set service_user_id = null", "ck_chat_sessions_owner"),
    ("update chat_sessions set member_id = @members where id = @chat_sessions", "ck_chat_sessions_owner"),
    ("update chat_sessions set workflow_id = @workflows where id = @chat_sessions", "ck_chat_sessions_with"),
    // Usage: told twice, counted once.
    (
        "insert into usage_events (id, team_id, kind, amount, source, occurred_at)
        values (@teams, @teams, 'run', 1, 's', now())",
        "uq_usage_events_team_id_kind_source",
    ),
    ("update usage_events set amount = -1", "ck_usage_events_amount"),
    (
        "insert into usage_daily (id, team_id, day, kind, amount) values (@teams, @teams, '2026-01-01', 'run', 1)",
        "uq_usage_daily_team_id_day_kind_workflow_id",
    ),
    (
        "insert into analytics_aggregates (id, team_id, period, period_start, metrics)
        values (@teams, @teams, 'daily', '2026-01-01', '{}')",
        "uq_analytics_aggregates_team_id_workflow_id_period_period_start",
    ),
    (
        "insert into feature_flags (id, team_id, key, is_enabled) values (@teams, @teams, 'f', false)",
        "uq_feature_flags_team_id_key",
    ),
    (
        "insert into feature_flags (id, key, is_enabled) values (@teams, 'g', false), (@members, 'g', true)",
        "uq_feature_flags_team_id_key",
    ),
    ("update feature_flags set key = 'No Key'", "ck_feature_flags_key"),
];

#[tokio::test]
async fn what_breaks_a_rule_is_refused_by_that_rule() {
    let full = Full::new().await;
    for (sql, rule) in REFUSED {
        assert_eq!(full.world.refusal(&full.fill("ours", sql)).await, *rule, "{sql}");
    }
}

#[tokio::test]
async fn a_team_that_goes_takes_all_it_has_but_the_audit_log_and_what_is_still_to_be_told() {
    let full = Full::new().await;
    full.world.catalog.team_delete(full.world.ours, &full.world.act()).await.unwrap();
    for table in full.tables.iter().filter(|table| !["members", "profiles"].contains(&table.as_str())) {
        let id = full.id("ours", table);
        let kept = full.number(&format!("select count(*) from {table} where id = '{id}'")).await;
        let is_kept = ["audit_log", "outbox"].contains(&table.as_str());
        assert_eq!(kept, i64::from(is_kept), "{table}");
    }
}
