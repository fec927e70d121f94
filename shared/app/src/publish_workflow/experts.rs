//! The experts that a draft is published with, as they are at that moment.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::{ExpertId, ExpertStatus, FrozenExpert, Graph, TeamId};
use engine::{Reference, ReferenceKind, Severity, Violation};

use crate::ports::{ExpertState, StoreError, WorkflowCatalog};

/// The most experts that a version takes along, those that experts name included.
const MAX_EXPERTS: usize = 100;

/// What a draft takes along of experts.
pub(super) struct Frozen {
    /// Each once, by its id.
    pub(super) experts: Vec<FrozenExpert>,
    pub(super) violations: Vec<Violation>,
}

/// An expert that is asked for: by which reference of the graph, and whether through another expert.
type Wanted<'a> = (ExpertId, &'a Reference, bool);

/// Reads every expert that the graph names, and those that experts name, level by level. One that is not active can't be published with; one
/// that the graph names and the team does not have is told elsewhere.
pub(super) async fn freeze(
    catalog: &dyn WorkflowCatalog,
    team: TeamId,
    graph: &Graph,
) -> Result<Frozen, StoreError> {
    let references = engine::references(graph);
    let named = references.iter().filter(|reference| reference.kind == ReferenceKind::Expert);
    let mut wanted: Vec<Wanted<'_>> =
        named.filter_map(|reference| Some((reference.id.parse().ok()?, reference, false))).collect();
    let mut known: HashMap<ExpertId, ExpertState> = HashMap::new();
    let (mut experts, mut violations) = (BTreeMap::new(), Vec::new());
    while !wanted.is_empty() {
        let ids: HashSet<ExpertId> =
            wanted.iter().map(|(id, ..)| *id).filter(|id| !known.contains_key(id)).collect();
        if known.len() + ids.len() > MAX_EXPERTS {
            let message =
                format!("a version takes at most {MAX_EXPERTS} experts along, and this leads to more");
            violations.push(violation(wanted[0].1, "too_many_experts", message));
            break;
        }
        let ids: Vec<ExpertId> = ids.into_iter().collect();
        let found = if ids.is_empty() { Vec::new() } else { catalog.experts(team, &ids).await? };
        known.extend(found.into_iter().map(|state| (state.expert.expert_id, state)));
        let mut next = Vec::new();
        for (id, reference, is_sub) in wanted {
            match known.get(&id) {
                Some(state) if state.status != ExpertStatus::Active => {
                    violations.push(violation(reference, "expert_not_active", not_active(state)));
                }
                Some(ExpertState { expert, .. }) if !experts.contains_key(&id) => {
                    experts.insert(id, expert.clone());
                    next.extend(expert.sub_experts().map(|sub| (sub, reference, true)));
                }
                None if is_sub => {
                    let message = format!("an expert that it names, `{id}`, is not there");
                    violations.push(violation(reference, "unknown_reference", message));
                }
                Some(_) | None => {}
            }
        }
        wanted = next;
    }
    Ok(Frozen { experts: experts.into_values().collect(), violations })
}

fn not_active(state: &ExpertState) -> String {
    let why = match state.status {
        ExpertStatus::Draft => "still a draft",
        ExpertStatus::Active | ExpertStatus::Archive | ExpertStatus::Historical => "archived",
    };
    format!("the expert `{}` is {why}; only active experts are published with", state.expert.name)
}

fn violation(reference: &Reference, code: &str, message: String) -> Violation {
    Violation {
        severity: Severity::Error,
        node: Some(reference.node.clone()),
        pointer: reference.pointer.clone(),
        code: code.to_owned(),
        message,
        offset: None,
    }
}

#[cfg(all(test, feature = "fakes"))]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::fakes::{MemoryCatalog, an_expert, graph, team};

    /// A team with experts that are named by their prompts, each with its status and those that it names.
    struct World {
        catalog: MemoryCatalog,
        team: TeamId,
        ids: HashMap<&'static str, ExpertId>,
    }

    impl World {
        fn new(experts: &[(&'static str, ExpertStatus, &[&str])]) -> Self {
            let made: Vec<_> = experts.iter().map(|(prompt, ..)| (*prompt, an_expert(prompt))).collect();
            let ids: HashMap<_, _> =
                made.iter().map(|(prompt, expert)| (*prompt, expert.expert_id)).collect();
            let (catalog, team) = (MemoryCatalog::default(), team());
            for ((_, expert), (_, status, subs)) in made.into_iter().zip(experts) {
                let subs: Vec<_> = subs.iter().map(|sub| ids.get(sub)).collect();
                let settings = Map::from_iter([("sub_experts".to_owned(), json!(subs))]);
                let expert = FrozenExpert { settings, ..expert };
                catalog.put_expert(team, ExpertState { status: *status, expert });
            }
            Self { catalog, team, ids }
        }

        async fn freeze(&self, nodes: Value) -> (Vec<String>, Vec<(String, String)>) {
            let graph = graph(json!({ "nodes": nodes }));
            let frozen = freeze(&self.catalog, self.team, &graph).await.expect("nothing fails here");
            let mut prompts: Vec<_> = frozen.experts.into_iter().map(|expert| expert.prompt).collect();
            prompts.sort_unstable();
            (prompts, frozen.violations.into_iter().map(|found| (found.pointer, found.code)).collect())
        }

        fn job(&self, key: &str, expert: &str) -> Value {
            json!({"key": key, "node_type": "job", "metadata": {"expert_id": self.ids[expert]}})
        }
    }

    #[tokio::test]
    async fn experts_are_frozen_with_those_that_they_name_each_once() {
        use ExpertStatus::Active;
        let world = World::new(&[
            ("chief", Active, &["clerk", "scribe"]),
            ("clerk", Active, &["scribe"]),
            ("scribe", Active, &[]),
            ("nobody's", Active, &[]),
        ]);
        let body = json!([world.job("inner", "clerk")]);
        let each =
            json!({"key": "each", "node_type": "for_each", "metadata": {"items": "{{ [1] }}", "body": body}});
        let (prompts, wrong) =
            world.freeze(json!([world.job("a", "chief"), world.job("b", "chief"), each])).await;
        assert_eq!((prompts, wrong), (["chief", "clerk", "scribe"].map(str::to_owned).to_vec(), vec![]));
        assert_eq!(world.freeze(json!([])).await, (vec![], vec![]));
    }

    #[tokio::test]
    async fn an_expert_that_is_not_active_can_not_be_published_with_wherever_it_is_named() {
        use ExpertStatus::{Active, Archive, Draft};
        let world = World::new(&[("chief", Active, &["gone"]), ("new", Draft, &[]), ("gone", Archive, &[])]);
        let nodes = json!([
            world.job("a", "new"),
            world.job("b", "new"),
            world.job("c", "gone"),
            world.job("d", "chief")
        ]);
        let (_, wrong) = world.freeze(nodes).await;
        let at = |node: u8| (format!("/nodes/{node}/metadata/expert_id"), "expert_not_active".to_owned());
        assert_eq!(wrong, [at(0), at(1), at(2), at(3)]);
    }

    #[tokio::test]
    async fn a_sub_expert_that_is_not_there_is_told_where_it_is_led_to() {
        let world = World::new(&[("chief", ExpertStatus::Active, &["lost"])]);
        let mut expert = an_expert("chief");
        expert.expert_id = world.ids["chief"];
        let lost = an_expert("lost").expert_id;
        expert.settings = json!({ "sub_experts": [lost] }).as_object().unwrap().clone();
        world.catalog.put_expert(world.team, ExpertState { status: ExpertStatus::Active, expert });
        let (_, wrong) = world.freeze(json!([world.job("a", "chief")])).await;
        assert_eq!(wrong, [("/nodes/0/metadata/expert_id".to_owned(), "unknown_reference".to_owned())]);
    }

    #[tokio::test]
    async fn experts_that_lead_to_too_many_are_refused() {
        let (catalog, team) = (MemoryCatalog::default(), team());
        let mut last = None;
        for _ in 0..=MAX_EXPERTS {
            let mut expert = an_expert("one of many");
            expert.settings = json!({ "sub_experts": [last] }).as_object().unwrap().clone();
            last = Some(expert.expert_id);
            catalog.put_expert(team, ExpertState { status: ExpertStatus::Active, expert });
        }
        let nodes = json!({"nodes": [{"key": "a", "node_type": "job", "metadata": {"expert_id": last}}]});
        let frozen = freeze(&catalog, team, &graph(nodes)).await.unwrap();
        assert_eq!(frozen.violations[0].code, "too_many_experts");
        assert_eq!(frozen.experts.len(), MAX_EXPERTS);
    }
}
