//! The second lock (TEN-12): what a query forgets to filter by its team, Postgres does.

use std::collections::BTreeSet;

use crate::full::Full;

/// What belongs to no team: people, their sessions, how creators show themselves.
const OF_NO_TEAM: [&str; 3] = ["members", "profiles", "sessions"];

/// The condition that picks one team's rows. Whoever forgets it is what this is about.
fn of_team(full: &Full, table: &str, team: &str) -> String {
    let column = if table == "teams" { "id" } else { "team_id" };
    format!("{column} = '{}'", full.id(team, "teams"))
}

/// Tables with rows of teams.
fn tenants(full: &Full) -> Vec<&String> {
    full.tables.iter().filter(|table| !OF_NO_TEAM.contains(&table.as_str())).collect()
}

#[tokio::test]
async fn every_table_with_a_team_is_locked_to_it_and_indexed_by_it() {
    let full = Full::new().await;
    let unlocked: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c
        where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
            and (c.relname = 'teams'
                or exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'team_id' and not a.attisdropped))
            and not (c.relrowsecurity
                and exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'team' and p.polcmd = '*'
                    and pg_get_expr(p.polqual, c.oid) ~ 'current_team\\(\\)')
                and exists (select from pg_index i join pg_attribute first on first.attrelid = c.oid and first.attnum = i.indkey[0]
                    where i.indrelid = c.oid and first.attname = case c.relname when 'teams' then 'id' else 'team_id' end))",
    )
    .fetch_all(full.pool())
    .await
    .unwrap();
    assert_eq!(unlocked, Vec::<String>::new());

    let without: BTreeSet<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c
        where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and c.relname !~ '^_' and not c.relrowsecurity",
    )
    .fetch_all(full.pool())
    .await
    .unwrap()
    .into_iter()
    .collect();
    assert_eq!(without, OF_NO_TEAM.map(str::to_owned).into(), "what is of no team is named in this test");
}

#[tokio::test]
async fn a_query_without_its_filter_finds_nothing_of_another_team() {
    let full = Full::new().await;
    let ours = full.id("ours", "teams");
    for table in tenants(&full) {
        let theirs = of_team(&full, table, "theirs");
        let seen = full.as_functions(Some(ours), &format!("select from {table}")).await.unwrap();
        let foreign =
            full.as_functions(Some(ours), &format!("select from {table} where {theirs}")).await.unwrap();
        assert!(seen >= 1 && foreign == 0, "{table}: {seen} rows seen, {foreign} of the other team");
    }
}

#[tokio::test]
async fn without_a_team_there_is_nothing() {
    let full = Full::new().await;
    for table in tenants(&full) {
        for team in ["ours", "theirs"] {
            let rows = of_team(&full, table, team);
            let seen = full.as_functions(None, &format!("select from {table} where {rows}")).await.unwrap();
            assert_eq!(seen, 0, "{table}");
        }
    }
}

#[tokio::test]
async fn nothing_of_another_team_is_changed_deleted_or_made() {
    const READ_ONLY: [&str; 2] = ["audit_log", "feature_flags"];
    let full = Full::new().await;
    let ours = full.id("ours", "teams");
    for table in tenants(&full).into_iter().filter(|table| !READ_ONLY.contains(&table.as_str())) {
        let theirs = of_team(&full, table, "theirs");
        for doing in [format!("update {table} set created_on = now()"), format!("delete from {table}")] {
            let touched = full.as_functions(Some(ours), &format!("{doing} where {theirs}")).await.unwrap();
            assert_eq!(touched, 0, "{doing}");
        }
        // A copy of one of our rows, as theirs. Whatever else would be wrong with it is found after this.
        let column = if table == "teams" { "id" } else { "team_id" };
        let copy = format!(
            "insert into {table} select (jsonb_populate_record(null::{table},
                to_jsonb(t) || jsonb_build_object('{column}', '{}'))).* from {table} t limit 1",
            full.id("theirs", "teams")
        );
        let refused = full.as_functions(Some(ours), &copy).await.expect_err(table);
        let code = refused.as_database_error().and_then(|error| error.code().map(String::from));
        // SQLSTATE of insufficient privilege: "new row violates row-level security policy". Triggers may object before.
        assert!(matches!(code.as_deref(), Some("42501" | "23001")), "{table}: {refused}");
    }
}

#[tokio::test]
async fn the_functions_can_t_get_past_the_lock() {
    let full = Full::new().await;
    let weak: bool = sqlx::query_scalar(
        "select not (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolcanlogin or rolreplication)
            and not exists (select from pg_auth_members where member = r.oid)
            and not exists (select from pg_class where relowner = r.oid)
            and not exists (select from pg_proc where proowner = r.oid)
        from pg_roles r where rolname = 'heddle_functions'",
    )
    .fetch_one(full.pool())
    .await
    .unwrap();
    assert!(weak, "the role owns something, is someone else too, or may what nobody who serves requests may");

    let ours = full.id("ours", "teams");
    for forbidden in [
        "alter table workflows disable row level security",
        "drop policy team on workflows",
        "truncate workflows",
        "create table mine (id uuid)",
        "call lock_to_team('members')",
        "update audit_log set action = 'x'",
        "delete from audit_log",
        "truncate audit_log",
        "alter table audit_log disable trigger all",
        "insert into feature_flags (id, key, is_enabled) values (gen_random_uuid(), 'x', true)",
        "select from _sqlx_migrations",
    ] {
        let refused = full.as_functions(Some(ours), forbidden).await.expect_err(forbidden);
        let code = refused.as_database_error().and_then(|error| error.code().map(String::from));
        assert_eq!(code.as_deref(), Some("42501"), "{forbidden}: {refused}");
    }
}

#[tokio::test]
async fn only_these_questions_are_answered_across_teams() {
    let full = Full::new().await;
    let definers: BTreeSet<String> = sqlx::query_scalar(
        "select proname::text from pg_proc where prosecdef and pronamespace = 'public'::regnamespace",
    )
    .fetch_all(full.pool())
    .await
    .unwrap()
    .into_iter()
    .collect();
    let named = [
        "invitation_by_token",
        "invitations_for",
        "memberships_of",
        "outbox_due",
        "service_by_key",
        "team_numbers",
        "teams_of_other_masters",
    ];
    assert_eq!(definers, named.map(str::to_owned).into());

    let public: Vec<String> = sqlx::query_scalar(
        "select proname::text from pg_proc p, aclexplode(coalesce(proacl, acldefault('f', proowner))) as granted
        where prosecdef and pronamespace = 'public'::regnamespace and granted.grantee = 0",
    )
    .fetch_all(full.pool())
    .await
    .unwrap();
    assert_eq!(public, Vec::<String>::new(), "everyone who connects may ask these");
}

#[tokio::test]
async fn what_the_gallery_shows_is_read_by_all_and_changed_by_its_team() {
    let full = Full::new().await;
    let publish = full.fill(
        "theirs",
        "update template_versions set published_at = now() where id = @template_versions;
        update templates set published_at = now(), published_version_id = @template_versions where id = @templates",
    );
    full.world.sql(&publish).await.unwrap();
    let ours = Some(full.id("ours", "teams"));
    for table in ["templates", "template_versions"] {
        let theirs = of_team(&full, table, "theirs");
        let seen = full.as_functions(ours, &format!("select from {table} where {theirs}")).await.unwrap();
        let change = format!("update {table} set created_on = now() where {theirs}");
        assert_eq!((seen, full.as_functions(ours, &change).await.unwrap()), (1, 0), "{table}");
    }
}
