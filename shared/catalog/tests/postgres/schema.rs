//! What holds of every table, read from Postgres's own books: names, common columns, and the indexes that questions need (WF-18).

use crate::{full::Full, support::World};

/// Never changed, so that nothing touches their `updated_on`.
const IMMUTABLE: [&str; 2] = ["audit_log", "workflow_versions"];

#[tokio::test]
async fn every_table_has_its_common_columns_and_touches_updated_on() {
    let world = World::new().await;
    let tables: Vec<(String, i64, bool, bool)> = sqlx::query_as(
        "select c.relname::text,
            (select count(*) from pg_attribute a where a.attrelid = c.oid and a.attnotnull
                and a.attname in ('id', 'created_on', 'updated_on')),
            exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = format('trg_%s_updated_on', c.relname)),
            exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = format('trg_%s_immutable', c.relname))
        from pg_class c where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and c.relname !~ '^_'",
    )
    .fetch_all(world.pool())
    .await
    .unwrap();
    assert_eq!(tables.len(), 44);
    for (table, columns, touches, refuses) in tables {
        let is_immutable = IMMUTABLE.contains(&table.as_str());
        assert!(columns == 3 && touches != is_immutable && refuses == is_immutable, "{table}");
    }
}

#[tokio::test]
async fn every_rule_has_a_name_of_the_scheme() {
    let world = World::new().await;
    let strange: Vec<String> = sqlx::query_scalar(
        "select format('%s.%s', conrelid::regclass, conname) from pg_constraint
        where conrelid <> 0 and connamespace = 'public'::regnamespace and conrelid::regclass::text !~ '^_'
            and contype in ('c', 'u', 'f')
            and conname !~ format('^%s_%s_', case contype when 'c' then 'ck' when 'u' then 'uq' else 'fk' end,
                conrelid::regclass)
        union all
        select indexname::text from pg_indexes
        where schemaname = 'public' and indexname !~ format('^((idx|uq)_%s_|.*_pkey$)', tablename)",
    )
    .fetch_all(world.pool())
    .await
    .unwrap();
    assert_eq!(strange, Vec::<String>::new());
}

#[tokio::test]
async fn updated_on_moves_with_every_update_and_created_on_stays() {
    let full = Full::new().await;
    for table in full.tables.iter().filter(|table| !IMMUTABLE.contains(&table.as_str())) {
        full.world.sql(&format!("update {table} set updated_on = '2000-01-01'")).await.unwrap();
        let untouched = format!("select count(*) from {table} where updated_on <= created_on");
        assert_eq!(full.number(&untouched).await, 0, "{table}");
    }
}

#[tokio::test]
async fn every_reference_has_an_index_where_what_it_names_may_go() {
    let world = World::new().await;
    // Deleting what is referred to looks for who refers to it: by an index that begins with the columns of the key, in any order.
    let unindexed: Vec<String> = sqlx::query_scalar(
        "select f.conname::text from pg_constraint f
        where f.contype = 'f' and f.connamespace = 'public'::regnamespace and cardinality(f.conkey) > 1
            and not exists (select from pg_index i where i.indrelid = f.conrelid
                and (i.indkey::int2[])[0:0] <@ f.conkey)",
    )
    .fetch_all(world.pool())
    .await
    .unwrap();
    assert_eq!(unindexed, Vec::<String>::new());
}

#[tokio::test]
async fn every_enum_takes_its_words_only() {
    let full = Full::new().await;
    let rules = rules(&full, "text", "= ANY \\(ARRAY\\[").await;
    assert!(rules.len() >= 19, "{}", rules.len());
    for (table, rule, column) in rules {
        // A trigger of the table must not hide the rule.
        full.world.sql(&format!("alter table {table} disable trigger user")).await.unwrap();
        let refused = full.world.refusal(&format!("update {table} set {column} = 'gone'")).await;
        assert_eq!(refused, rule);
    }
}

#[tokio::test]
async fn every_object_is_one() {
    let full = Full::new().await;
    let rules = rules(&full, "jsonb", "jsonb_typeof\\(\\w+\\) = 'object'").await;
    assert!(rules.len() >= 29, "{}", rules.len());
    for (table, rule, column) in rules {
        full.world.sql(&format!("alter table {table} disable trigger user")).await.unwrap();
        let refused = full.world.refusal(&format!("update {table} set {column} = '[1]'")).await;
        assert_eq!(refused, rule);
    }
}

#[tokio::test]
async fn no_reference_leaves_its_team() {
    let full = Full::new().await;
    let references: Vec<(String, String, String, String)> = sqlx::query_as(
        "select f.conrelid::regclass::text, f.conname::text, a.attname::text, f.confrelid::regclass::text
        from pg_constraint f join pg_attribute a on a.attrelid = f.conrelid and a.attnum = f.conkey[cardinality(f.conkey)]
        where f.contype = 'f' and f.connamespace = 'public'::regnamespace
            and exists (select from pg_attribute t where t.attrelid = f.conrelid and t.attname = 'team_id')
            and exists (select from pg_attribute t where t.attrelid = f.confrelid and t.attname = 'team_id')
            and f.conname <> 'fk_installations_version_id'",
    )
    .fetch_all(full.pool())
    .await
    .unwrap();
    assert!(references.len() > 25, "{}", references.len());
    for (table, rule, column, target) in references {
        full.world.sql(&format!("alter table {table} disable trigger user")).await.unwrap();
        let [ours, theirs] = ["ours", "theirs"].map(|team| full.id(team, "teams"));
        // Whatever would object to the change for a reason of its own is out of the way.
        let holders = holders(&full, &table, &column).await;
        let mut away: Vec<String> = holders
            .into_iter()
            .filter(|holder| *holder != target)
            .map(|holder| format!("delete from {holder} where team_id = '{ours}';"))
            .collect();
        if table != target {
            away.push(format!("delete from {table} where team_id = '{theirs}';"));
        }
        let stray = format!(
            "do $$ begin
                set constraints all immediate; {}
                update {table} set {column} = '{}' where team_id = '{ours}';
            end $$",
            away.concat(),
            full.id("theirs", &target)
        );
        let refused = full.world.refusal(&stray).await;
        // Where a row says the same in two places, that rule objects first.
        assert!(refused == rule || refused.starts_with("ck_"), "{rule}: {refused}");
    }
}

/// The tables that refer to this one by this column.
async fn holders(full: &Full, table: &str, column: &str) -> Vec<String> {
    sqlx::query_scalar(
        "select distinct f.conrelid::regclass::text from pg_constraint f join pg_attribute a on a.attrelid = f.confrelid
        where f.contype = 'f' and f.confrelid = $1::regclass and a.attname = $2 and a.attnum = any (f.confkey)",
    )
    .bind(table)
    .bind(column)
    .fetch_all(full.pool())
    .await
    .unwrap()
}

/// Checks whose definition matches, each with its table and first column, which is of this type.
async fn rules(full: &Full, column_type: &str, definition: &str) -> Vec<(String, String, String)> {
    sqlx::query_as(
        "select c.conrelid::regclass::text, c.conname::text, a.attname::text
        from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
        where c.contype = 'c' and c.connamespace = 'public'::regnamespace and pg_get_constraintdef(c.oid) ~ $1
            and a.atttypid = $2::regtype
        order by c.conname",
    )
    .bind(definition)
    .bind(column_type)
    .fetch_all(full.pool())
    .await
    .unwrap()
}
