//! A database with a row in every table, for each of two teams: what is claimed of all tables is tried on all tables.

use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use crate::support::World;

/// The rows of one team. `@name` stands for the id of the team's row in the table of that name, `@@` for a text that is the team's own.
const ROWS: &str = "
insert into members (id, email) values (@members, '@@@example.com');
insert into team_members (id, team_id, member_id, role) values (@team_members, @teams, @members, 'owner');
insert into invitations (id, team_id, email, role, token_hash, expires_at)
    values (@invitations, @teams, 'new@example.com', 'viewer', sha256('@@'), '2030-01-01');
insert into services (id, team_id, name, environment, api_key_hash, api_key_last4, previous_key_hash, previous_key_expires_at)
    values (@services, @teams, 's', 'dev', sha256('k@@'), 'abcd', sha256('p@@'), '2030-01-01');
insert into service_segments (id, team_id, service_id, name) values (@service_segments, @teams, @services, 'g');
insert into service_users (id, team_id, service_id, user_id, segment_key, segment_hash, version)
    values (@service_users, @teams, @services, @users, '{\"version\": 1, \"properties\": {}}', sha256('u@@'), 1);
insert into users (id, team_id, service_user_id) values (@users, @teams, @service_users);
insert into sessions (id, user_id, family, refresh_hash, expires_at, last_activity_at)
    values (@sessions, @users, @sessions, sha256('r@@'), '2030-01-01', now());
insert into experts (id, team_id, name, model_name) values (@experts, @teams, 'e', 'm');
insert into workflows (id, team_id, name) values (@workflows, @teams, 'w');
insert into nodes (id, team_id, workflow_id, key, node_type, retry, position, ordinal)
    values (@nodes, @teams, @workflows, 'a', 'return', '{}', '{}', 0),
        (@outbox, @teams, @workflows, 'b', 'return', null, null, 1);
insert into node_node (id, team_id, workflow_id, parent_id, child_id, ordinal)
    values (@node_node, @teams, @workflows, @nodes, @outbox, 0);
insert into workflow_drafts (id, team_id, workflow_id, based_on, graph, reason, actor_kind, actor_id)
    values (@workflow_drafts, @teams, @workflows, 1, '{}', 'refused', 'member', @members);
insert into workflow_versions (id, team_id, workflow_id, number, workflow_name, graph, is_api)
    values (@workflow_versions, @teams, @workflows, 1, 'w', '{}', true);
insert into expert_services (id, team_id, expert_id, service_id) values (@expert_services, @teams, @experts, @services);
insert into expert_workflow (id, team_id, expert_id, workflow_id) values (@expert_workflow, @teams, @experts, @workflows);
insert into workflow_services (id, team_id, workflow_id, service_id)
    values (@workflow_services, @teams, @workflows, @services);
insert into annotations (id, team_id, run_id, text, author_kind, author_id)
    values (@annotations, @teams, @annotations, 't', 'member', @members);
insert into team_data_keys (id, team_id, wrapped_key, master_key_id) values (@team_data_keys, @teams, sha256('w'), 'm1');
insert into secrets (id, team_id, name, version, ciphertext, nonce, key_id, last4)
    values (@secrets, @teams, 'API_KEY', 1, sha256('c'), decode(repeat('01', 12), 'hex'), @team_data_keys, 'wxyz');
insert into audit_log (id, team_id, actor_kind, actor_id, action, resource_kind, outcome, created_on)
    values (@audit_log, @teams, 'member', @members, 'a', 'r', 'allowed', now());
insert into activity (id, team_id, actor_kind, actor_id, action)
    values (@activity, @teams, 'member', @members, 'a');
insert into outbox (id, team_id, aggregate, aggregate_id, kind) values (@outbox, @teams, 'workflow', @workflows, 'k');
insert into profiles (id, member_id, handle, display_name) values (@profiles, @members, 'h-@@', 'd');
insert into templates (id, team_id, name) values (@templates, @teams, 't');
insert into template_versions (id, team_id, template_id, number, graph)
    values (@template_versions, @teams, @templates, 1, '{}');
insert into installations (id, team_id, template_id, version_id, workflow_id)
    values (@installations, @teams, @templates, @template_versions, @workflows);
insert into submissions (id, team_id, template_id, version_id)
    values (@submissions, @teams, @templates, @template_versions);
insert into moderation_events (id, team_id, submission_id, action)
    values (@moderation_events, @teams, @submissions, 'submit');
insert into referrals (id, team_id, template_id, source, kind, day)
    values (@referrals, @teams, @templates, 's', 'view', '2026-01-01');
insert into files (id, team_id, name, mime_type, size_bytes, storage_key, uploaded_by_kind, uploaded_by_id)
    values (@files, @teams, 'f', 'text/plain', 1, 'files/@@', 'member', @members);
insert into collections (id, team_id, name, embedding_model, dimensions) values (@collections, @teams, 'c', 'm', 3);
insert into documents (id, team_id, collection_id, name, file_id) values (@documents, @teams, @collections, 'd', @files);
insert into chunks (id, team_id, collection_id, document_id, ordinal, text, embedding)
    values (@chunks, @teams, @collections, @documents, 0, 't', array[0.1, 0.2, 0.3]);
insert into mcp_servers (id, team_id, name, url) values (@mcp_servers, @teams, 'm', 'https://example.com');
insert into webhooks (id, team_id, workflow_id, name, secret_name) values (@webhooks, @teams, @workflows, 'h', 'HOOK');
insert into chat_sessions (id, team_id, expert_id, service_user_id)
    values (@chat_sessions, @teams, @experts, @service_users);
insert into chat_messages (id, team_id, session_id, role, content, usage)
    values (@chat_messages, @teams, @chat_sessions, 'user', 'hi', '{}');
insert into usage_events (id, team_id, kind, amount, source, occurred_at)
    values (@usage_events, @teams, 'run', 1, 's', now());
insert into usage_daily (id, team_id, day, kind, amount) values (@usage_daily, @teams, '2026-01-01', 'run', 1);
insert into analytics_metrics (id, team_id, metric_type, metric_value, measured_at)
    values (@analytics_metrics, @teams, 'm', 1, now());
insert into analytics_aggregates (id, team_id, period, period_start, metrics)
    values (@analytics_aggregates, @teams, 'daily', '2026-01-01', '{}');
insert into feature_flags (id, team_id, key, is_enabled) values (@feature_flags, @teams, 'f', true);
";

/// Two teams that both have one of everything.
pub(crate) struct Full {
    pub(crate) world: World,
    /// Every table of the catalog, in the order of their names.
    pub(crate) tables: Vec<String>,
}

impl Full {
    pub(crate) async fn new() -> Self {
        let world = World::new().await;
        let tables = sqlx::query_scalar(
            "select relname::text from pg_class
            where relkind = 'r' and relnamespace = 'public'::regnamespace and relname !~ '^_' order by relname",
        )
        .fetch_all(world.pool())
        .await
        .unwrap();
        let full = Self { world, tables };
        for team in ["ours", "theirs"] {
            full.world.sql(&full.fill(team, ROWS)).await.unwrap();
        }
        full
    }

    pub(crate) fn pool(&self) -> &PgPool {
        self.world.pool()
    }

    /// The id of a team's row in a table.
    pub(crate) fn id(&self, team: &str, table: &str) -> Uuid {
        match (team, table) {
            ("ours", "teams") => self.world.ours.uuid(),
            (_, "teams") => self.world.theirs.uuid(),
            _ => {
                let place = self.tables.iter().position(|name| name == table).unwrap() as u128;
                Uuid::from_u128(0x0191_0000_0000_7000_8000_0000_0000_0000 | place << 8 | team.len() as u128)
            }
        }
    }

    /// The statement with a team's ids in place of `@table`.
    pub(crate) fn fill(&self, team: &str, sql: &str) -> String {
        let mut longest_first = self.tables.clone();
        longest_first.sort_by_key(|table| std::cmp::Reverse(table.len()));
        let filled = sql.replace("@@", team);
        longest_first.iter().fold(filled, |sql, table| {
            sql.replace(&format!("@{table}"), &format!("'{}'", self.id(team, table)))
        })
    }

    /// The answer to a question of one number, asked of the whole database.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(self.pool()).await.unwrap()
    }

    /// What this statement does when it is executed as the functions' role, for a team if one is named. Nothing of it stays.
    pub(crate) async fn as_functions(&self, team: Option<Uuid>, sql: &str) -> Result<u64, sqlx::Error> {
        let mut tx = self.pool().begin().await?;
        sqlx::raw_sql("set local role heddle_functions").execute(&mut *tx).await?;
        if let Some(team) = team {
            let set = format!("set local heddle.team_id = '{team}'");
            sqlx::raw_sql(AssertSqlSafe(set)).execute(&mut *tx).await?;
        }
        let done = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut *tx).await?;
        Ok(done.rows_affected())
    }
}

#[tokio::test]
async fn every_table_has_a_row_of_each_team() {
    let full = Full::new().await;
    for table in &full.tables {
        let rows = full.number(&format!("select count(*) from {table}")).await;
        assert!(rows >= 2, "{table} has {rows} rows: give it one in ROWS");
    }
}
