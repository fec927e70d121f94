//! Graphs as text, and a run that is driven by hand.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use domain::{
    ErrorClass, Failure, Graph, NodeKey, OnFailure, Priority, RunId, RunSettings, TeamId, Timestamp, Trigger,
    TriggerKind, UsedVersion, VersionId, WorkflowId, WorkflowVersion,
};
use engine::{
    Attempt, Call, Decision, Event, Moment, NewRun, NodeState, Plan, Rejected, Run, Settled, StepRecord,
    Turn, Values, advance, advance_unfused, compile, run_result,
};
use serde_json::{Map, Value, json};

/// Nodes and edges from text such as `a -> b, c; b -false-> d`, in the order in which keys are first named. A
/// node is what `details` say of its key; else a `merge` if several edges lead to it; else a `get_api`.
pub(crate) fn graph(text: &str, details: &Value) -> Graph {
    let mut keys: Vec<String> = Vec::new();
    let mut edges = Vec::new();
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (from, label, to) = sides(part);
        for key in from.iter().chain(&to) {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        for from in &from {
            edges.extend(to.iter().map(|to| match label {
                Some(label) => json!({"from": from, "to": to, "label": label}),
                None => json!({"from": from, "to": to}),
            }));
        }
    }
    let node = |key: &String| {
        let mut node = json!({"key": key});
        let given = details.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
        if !given.contains_key("node_type") {
            let joins = edges.iter().filter(|edge| edge["to"] == **key).count() > 1;
            node["node_type"] = json!(if joins { "merge" } else { "get_api" });
            if !joins {
                node["metadata"] = json!({"url": "https://example.com/"});
            }
        }
        node.as_object_mut().unwrap().extend(given);
        node
    };
    let nodes: Vec<_> = keys.iter().map(node).collect();
    serde_json::from_value(json!({"nodes": nodes, "edges": edges})).unwrap()
}

fn sides(part: &str) -> (Vec<String>, Option<&str>, Vec<String>) {
    let keys =
        |text: &str| text.split(',').map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()).collect();
    let Some((from, to)) = part.split_once("->") else { return (keys(part), None, Vec::new()) };
    match from.split_once('-') {
        Some((from, label)) => (keys(from), Some(label.trim()), keys(to)),
        None => (keys(from), None, keys(to)),
    }
}

/// A pure node with an expression.
pub(crate) fn advanced(program: &str) -> Value {
    json!({"node_type": "advanced", "metadata": {"program": program}})
}

/// The moment at which every run of these tests was created.
pub(crate) fn start() -> Timestamp {
    DateTime::parse_from_rfc3339("2026-01-02T03:04:05Z").unwrap().to_utc()
}

pub(crate) fn version(graph: Graph) -> Arc<WorkflowVersion> {
    Arc::new(WorkflowVersion {
        id: VersionId::new(id(3)),
        team_id: TeamId::new(id(1)),
        workflow_id: WorkflowId::new(id(2)),
        workflow_name: "orders".into(),
        number: 7,
        graph,
        input_params: Map::new(),
        is_api: true,
        settings: RunSettings::default(),
        uses: Vec::new(),
        experts: Vec::new(),
        created_on: start(),
    })
}

fn id(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(number)
}

pub(crate) fn permanent() -> Failure {
    Failure::new(ErrorClass::Permanent, "http_status", "404")
}

pub(crate) fn transient() -> Failure {
    Failure::new(ErrorClass::Transient, "http_status", "503")
}

/// One run with a store that keeps what decisions say, and a clock that is set by hand.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) run: Run,
    pub(crate) values: Values,
    pub(crate) now: Timestamp,
    pub(crate) records: Vec<StepRecord>,
}

impl World {
    pub(crate) fn new(graph: Graph, inputs: Value) -> Self {
        let plan = compile(version(graph)).unwrap_or_else(|violations| panic!("{violations:#?}"));
        Self::of_plan(plan, Self::fresh(), inputs)
    }

    /// The control state that every run of these tests begins with.
    pub(crate) fn fresh() -> Run {
        Run::start(NewRun {
            id: RunId::new(id(4)),
            team_id: TeamId::new(id(1)),
            workflow_id: WorkflowId::new(id(2)),
            version_id: VersionId::new(id(3)),
            trigger: Trigger { kind: TriggerKind::Manual, by: None },
            priority: Priority::Default,
            created_on: start(),
        })
    }

    /// A run of a plan, such as that of a chunk.
    pub(crate) fn of_plan(plan: Plan, run: Run, inputs: Value) -> Self {
        let values = Values { inputs: Arc::new(inputs), ..Values::default() };
        Self { plan, run, values, now: start(), records: Vec::new() }
    }

    /// The same run from its start, of a version that differs by `change`.
    fn changed(&self, change: impl FnOnce(&mut WorkflowVersion)) -> Self {
        let mut version = WorkflowVersion::clone(self.plan.version());
        change(&mut version);
        let world = Self::new(version.graph.clone(), Value::clone(&self.values.inputs));
        Self { plan: compile(Arc::new(version)).unwrap(), ..world }
    }

    pub(crate) fn published_with(&self, used: UsedVersion) -> Self {
        self.changed(|version| version.uses.push(used))
    }

    pub(crate) fn finish_branches(&mut self) {
        *self = self.changed(|version| version.settings.on_failure = OnFailure::FinishBranches);
    }

    pub(crate) fn limit_steps(&mut self, most: u32) {
        *self = self.changed(|version| version.settings.max_steps = Some(most));
    }

    pub(crate) fn of(text: &str, details: &Value) -> Self {
        Self::new(graph(text, details), json!({}))
    }

    pub(crate) fn pass(&mut self, seconds: i64) {
        self.now += TimeDelta::seconds(seconds);
    }

    /// Applies an event as the loop around the engine does: records first, then the commit.
    pub(crate) fn apply(&mut self, event: Event, turn: Option<Turn>) -> Result<Decision, Rejected> {
        let moment = Moment { now: self.now, jitter: 1.0, turn };
        let decision = advance(&self.plan, &self.run, &self.values, event.clone(), &moment)?;
        let again = advance(&self.plan, &self.run, &self.values, event, &moment)?;
        assert_eq!(decision, again, "the same arguments give an equal decision");
        self.keep(&decision);
        Ok(decision)
    }

    fn keep(&mut self, decision: &Decision) {
        for record in &decision.records {
            self.records.push(record.clone());
            if !record.retried {
                self.values.outputs.insert(record.node.clone(), record.value().unwrap());
            }
        }
        if let Some(run) = &decision.run {
            assert_eq!(run.revision, self.run.revision + 1);
            self.run = run.clone();
        }
    }

    /// Wakes the run until nothing changes, without fusion; answers in how many commits.
    pub(crate) fn wake_unfused(&mut self) -> u64 {
        let moment = Moment { now: self.now, jitter: 1.0, turn: None };
        while let Ok(decision @ Decision { run: Some(_), .. }) =
            advance_unfused(&self.plan, &self.run, &self.values, Event::Woken, &moment)
        {
            self.keep(&decision);
        }
        self.run.revision
    }

    pub(crate) fn wake(&mut self) -> Decision {
        self.apply(Event::Woken, None).unwrap()
    }

    pub(crate) fn turn(&self, node: Option<&str>) -> Turn {
        Turn {
            node: node.map(NodeKey::from),
            lease_until: self.now + TimeDelta::seconds(60),
            max_timeout_s: 300,
            at_most: 1,
        }
    }

    /// A hint comes for `node`; whatever it claims.
    pub(crate) fn claim(&mut self, node: Option<&str>) -> Option<Call> {
        let turn = self.turn(node);
        self.apply(Event::Woken, Some(turn)).unwrap().calls.pop()
    }

    pub(crate) fn settle(
        &mut self,
        node: &str,
        attempt: Attempt,
        outcome: Result<Value, Failure>,
    ) -> Result<Decision, Rejected> {
        self.apply(Event::Settled(vec![settled(node, attempt, outcome)]), None)
    }

    /// Claims a node and settles it.
    pub(crate) fn execute(&mut self, node: &str, outcome: Result<Value, Failure>) {
        let call =
            self.claim(Some(node)).unwrap_or_else(|| panic!("{node} can't be claimed: {}", self.states()));
        assert_eq!(call.node.as_str(), node);
        self.settle(node, call.attempt, outcome).unwrap();
    }

    pub(crate) fn state(&self, node: &str) -> Option<&NodeState> {
        self.run.nodes.get(node)
    }

    pub(crate) fn output(&self, node: &str) -> &Value {
        &self.values.outputs[&NodeKey::from(node)]
    }

    pub(crate) fn result(&self) -> Option<Value> {
        run_result(&self.run, &self.values)
    }

    /// Every node in plan order, then the run: `a succeeded, b ready; run running`.
    pub(crate) fn states(&self) -> String {
        let states = self
            .plan
            .order()
            .map(|key| format!("{key} {}", word(self.run.nodes.get(key))))
            .collect::<Vec<_>>();
        format!("{}; run {}", states.join(", "), self.run.status.as_str())
    }
}

fn word(state: Option<&NodeState>) -> &'static str {
    match state {
        None => "blocked",
        Some(NodeState::Ready { .. }) => "ready",
        Some(NodeState::Running { .. }) => "running",
        Some(NodeState::Waiting { .. }) => "waiting",
        Some(NodeState::Succeeded { .. }) => "succeeded",
        Some(NodeState::Failed { .. }) => "failed",
        Some(NodeState::Skipped { .. }) => "skipped",
        Some(NodeState::Cancelled { .. }) => "cancelled",
    }
}

pub(crate) fn settled(node: &str, attempt: Attempt, outcome: Result<Value, Failure>) -> Settled {
    Settled { node: node.into(), attempt, outcome: outcome.map(Arc::new), notes: vec!["told".into()] }
}
