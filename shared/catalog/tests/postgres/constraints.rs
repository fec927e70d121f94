//! What the database refuses by itself, whoever writes (TST-02).

use app::ports::Ids as _;
use uuid::Uuid;

use crate::support::World;

/// A world with one row in every table, and the ids to name them by in SQL.
struct Rows {
    world: World,
    workflow: Uuid,
    foreign_workflow: Uuid,
    nodes: [Uuid; 2],
    elsewhere: Uuid,
    service: Uuid,
    foreign_service: Uuid,
    expert: Uuid,
    member: Uuid,
}

impl Rows {
    async fn new() -> Self {
        let world = World::new().await;
        let id = || world.ids.next();
        let (workflow, other, foreign_workflow) = (id(), id(), id());
        let nodes = [id(), id()];
        let elsewhere = id();
        let (service, foreign_service, expert, member) = (id(), id(), id(), id());
        let (ours, theirs) = (world.ours, world.theirs);
        let sql = format!(
            "insert into members (id, email) values ('{member}', 'ada@example.com');
            insert into workflows (id, team_id, name) values
                ('{workflow}', '{ours}', 'w'), ('{other}', '{ours}', 'o'), ('{foreign_workflow}', '{theirs}', 'f');
            insert into nodes (id, team_id, workflow_id, key, node_type, ordinal) values
                ('{}', '{ours}', '{workflow}', 'a', 'return', 0), ('{}', '{ours}', '{workflow}', 'b', 'return', 1),
                ('{elsewhere}', '{ours}', '{other}', 'a', 'return', 0);
            insert into services (id, team_id, name, environment) values
                ('{service}', '{ours}', 's', 'dev'), ('{foreign_service}', '{theirs}', 's', 'dev');
            insert into experts (id, team_id, name, model_name) values ('{expert}', '{ours}', 'e', 'm');",
            nodes[0], nodes[1]
        );
        world.sql(&sql).await.unwrap();
        Self { world, workflow, foreign_workflow, nodes, elsewhere, service, foreign_service, expert, member }
    }

    fn edge(&self, parent: Uuid, child: Uuid, label: &str) -> String {
        let (id, team, workflow) = (self.world.ids.next(), self.world.ours, self.workflow);
        format!(
            "insert into node_node (id, team_id, workflow_id, parent_id, child_id, label, ordinal)
            values ('{id}', '{team}', '{workflow}', '{parent}', '{child}', {label}, 0)"
        )
    }

    fn pair(&self, table: &str, [left, right]: [(&str, Uuid); 2]) -> String {
        let (id, team) = (self.world.ids.next(), self.world.ours);
        let ((left, left_id), (right, right_id)) = (left, right);
        format!(
            "insert into {table} (id, team_id, {left}, {right}) values ('{id}', '{team}', '{left_id}', '{right_id}')"
        )
    }
}

#[tokio::test]
async fn a_person_is_in_a_team_once() {
    let rows = Rows::new().await;
    let join = |role: &str| {
        let (id, team, member) = (rows.world.ids.next(), rows.world.ours, rows.member);
        format!(
            "insert into team_members (id, team_id, member_id, role) values ('{id}', '{team}', '{member}', '{role}')"
        )
    };
    rows.world.sql(&join("editor")).await.unwrap();
    assert_eq!(rows.world.refusal(&join("owner")).await, "uq_team_members_team_id_member_id");
}

#[tokio::test]
async fn an_address_is_taken_once_whatever_its_case() {
    let rows = Rows::new().await;
    let insert = |email: &str| {
        format!("insert into members (id, email) values ('{}', '{email}')", rows.world.ids.next())
    };
    assert_eq!(rows.world.refusal(&insert("ada@example.com")).await, "uq_members_email");
    assert_eq!(rows.world.refusal(&insert("Ada@example.com")).await, "ck_members_email");
    assert_eq!(rows.world.refusal(&insert("ada")).await, "ck_members_email");
}

#[tokio::test]
async fn an_edge_is_unique_by_its_ends_and_label() {
    let rows = Rows::new().await;
    let [a, b] = rows.nodes;
    for label in ["null", "'true'"] {
        rows.world.sql(&rows.edge(a, b, label)).await.unwrap();
        let again = rows.world.refusal(&rows.edge(a, b, label)).await;
        assert_eq!(again, "uq_node_node_parent_id_child_id_label");
    }
}

#[tokio::test]
async fn an_edge_never_leads_back_to_its_own_node() {
    let rows = Rows::new().await;
    let [a, _] = rows.nodes;
    assert_eq!(rows.world.refusal(&rows.edge(a, a, "null")).await, "ck_node_node_self");
}

#[tokio::test]
async fn an_edge_stays_in_its_workflow() {
    let rows = Rows::new().await;
    let [a, _] = rows.nodes;
    let away = rows.world.refusal(&rows.edge(a, rows.elsewhere, "null")).await;
    assert_eq!(away, "fk_node_node_child_id");
    let back = rows.world.refusal(&rows.edge(rows.elsewhere, a, "null")).await;
    assert_eq!(back, "fk_node_node_parent_id");
}

#[tokio::test]
async fn a_node_stays_in_its_team() {
    let rows = Rows::new().await;
    let (id, team, workflow) = (rows.world.ids.next(), rows.world.ours, rows.foreign_workflow);
    let sql = format!(
        "insert into nodes (id, team_id, workflow_id, key, node_type, ordinal)
        values ('{id}', '{team}', '{workflow}', 'x', 'return', 0)"
    );
    assert_eq!(rows.world.refusal(&sql).await, "fk_nodes_workflow_id");
}

#[tokio::test]
async fn node_keys_are_unique_in_their_workflow_only() {
    let rows = Rows::new().await;
    let [_, b] = rows.nodes;
    let sql = format!("update nodes set key = 'a' where id = '{b}'");
    assert_eq!(rows.world.refusal(&sql).await, "uq_nodes_workflow_id_key");
}

#[tokio::test]
async fn a_service_name_may_repeat_in_another_environment_only() {
    let rows = Rows::new().await;
    let insert = |environment: &str| {
        let (id, team) = (rows.world.ids.next(), rows.world.ours);
        format!(
            "insert into services (id, team_id, name, environment) values ('{id}', '{team}', 's', '{environment}')"
        )
    };
    assert_eq!(rows.world.refusal(&insert("dev")).await, "uq_services_team_id_name_environment");
    rows.world.sql(&insert("prod")).await.unwrap();
}

#[tokio::test]
async fn a_key_digest_is_whole_and_belongs_to_one_service() {
    let rows = Rows::new().await;
    let key = |id: Uuid, hash: &str, last4: &str| {
        format!("update services set api_key_hash = {hash}, api_key_last4 = {last4} where id = '{id}'")
    };
    let digest = "sha256('k')";
    rows.world.sql(&key(rows.service, digest, "'abcd'")).await.unwrap();
    let taken = rows.world.refusal(&key(rows.foreign_service, digest, "'abcd'")).await;
    assert_eq!(taken, "uq_services_api_key_hash");
    for (hash, last4) in
        [("'\\x00'", "'abcd'"), ("sha256('x')", "null"), ("null", "'abcd'"), (digest, "'abc'")]
    {
        assert_eq!(rows.world.refusal(&key(rows.service, hash, last4)).await, "ck_services_api_key");
    }
}

#[tokio::test]
async fn joins_are_unique_and_stay_in_their_team() {
    let rows = Rows::new().await;
    let expert = ("expert_id", rows.expert);
    let workflow = ("workflow_id", rows.workflow);
    let service = ("service_id", rows.service);
    for (table, pair) in [
        ("expert_workflow", [expert, workflow]),
        ("expert_services", [expert, service]),
        ("workflow_services", [workflow, service]),
    ] {
        rows.world.sql(&rows.pair(table, pair)).await.unwrap();
        let again = rows.world.refusal(&rows.pair(table, pair)).await;
        assert_eq!(again, format!("uq_{table}_team_id_{}_{}", pair[0].0, pair[1].0));
    }
    let (foreign_workflow, foreign_service) =
        (("workflow_id", rows.foreign_workflow), ("service_id", rows.foreign_service));
    for (table, pair, rule) in [
        ("expert_workflow", [expert, foreign_workflow], "fk_expert_workflow_workflow_id"),
        ("expert_services", [expert, foreign_service], "fk_expert_services_service_id"),
        ("workflow_services", [workflow, foreign_service], "fk_workflow_services_service_id"),
    ] {
        assert_eq!(rows.world.refusal(&rows.pair(table, pair)).await, rule);
    }
}

#[tokio::test]
async fn enums_take_their_words_only() {
    let rows = Rows::new().await;
    let (team, member) = (rows.world.ours, rows.member);
    let id = rows.world.ids.next();
    for (sql, rule) in [
        ("update experts set status = 'gone'".to_owned(), "ck_experts_status"),
        ("update workflows set status = 'gone'".to_owned(), "ck_workflows_status"),
        ("update services set environment = 'test'".to_owned(), "ck_services_environment"),
        (
            format!(
                "insert into team_members (id, team_id, member_id, role) values ('{id}', '{team}', '{member}', 'king')"
            ),
            "ck_team_members_role",
        ),
    ] {
        assert_eq!(rows.world.refusal(&sql).await, rule);
    }
    for status in ["draft", "active", "archive", "historical"] {
        rows.world.sql(&format!("update experts set status = '{status}'")).await.unwrap();
    }
}

#[tokio::test]
async fn json_columns_take_objects_and_are_searchable() {
    let rows = Rows::new().await;
    for (table, column) in [
        ("teams", "settings"),
        ("experts", "input_params"),
        ("experts", "settings"),
        ("workflows", "input_params"),
        ("workflows", "settings"),
        ("nodes", "metadata"),
        ("nodes", "retry"),
        ("nodes", "position"),
        ("nodes", "on_error"),
    ] {
        let refused = rows.world.refusal(&format!("update {table} set {column} = '[1]'")).await;
        assert_eq!(refused, format!("ck_{table}_{column}"));
    }
    rows.world.sql("update experts set input_params = '{\"city\": {\"type\": \"string\"}}'").await.unwrap();
    let found: i64 =
        sqlx::query_scalar("select count(*) from experts where input_params -> 'city' ->> 'type' = 'string'")
            .fetch_one(rows.world.pool())
            .await
            .unwrap();
    assert_eq!(found, 1);
}

#[tokio::test]
async fn a_workflow_is_published_with_a_version_of_its_own_only() {
    let rows = Rows::new().await;
    let refused = rows.world.refusal("update workflows set status = 'published'").await;
    assert_eq!(refused, "ck_workflows_published");

    let (version, team, foreign) = (rows.world.ids.next(), rows.world.theirs, rows.foreign_workflow);
    let insert = format!(
        "insert into workflow_versions (id, team_id, workflow_id, number, workflow_name, graph, is_api)
        values ('{version}', '{team}', '{foreign}', 1, 'f', '{{}}', true)"
    );
    rows.world.sql(&insert).await.unwrap();
    let workflow = rows.workflow;
    let adopt = format!("update workflows set published_version_id = '{version}' where id = '{workflow}'");
    assert_eq!(rows.world.refusal(&adopt).await, "fk_workflows_published_version_id");
}
