//! Workflows: what Heddle is given, beside what it is to do with it.

use std::sync::Arc;

use domain::{
    NodeKey, OnFailure, RunSettings, TeamId, Timestamp, UsedVersion, VersionId, WorkflowId, WorkflowVersion,
};
use engine::{Plan, Run};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    chance::Dice,
    graphs::{self, Call, Does, Each, Names, Shape, Usable, document},
};

/// How deep workflows run in each other.
const DEEPEST: u32 = 3;

/// A workflow with one published version.
#[derive(Debug)]
pub struct Flow {
    /// What it is to do.
    pub shapes: Vec<Shape>,
    /// What was published.
    pub version: Arc<WorkflowVersion>,
    /// The same, compiled.
    pub plan: Plan,
    /// How deep others run in it.
    depth: u32,
}

/// The team that owns everything.
pub fn team() -> TeamId {
    TeamId::new(Uuid::from_u128(1))
}

/// The id of the workflow of this number.
pub fn workflow_id(number: u32) -> WorkflowId {
    WorkflowId::new(numbered(3, number))
}

fn numbered(kind: u128, number: u32) -> Uuid {
    Uuid::from_u128((kind << 64) + u128::from(number))
}

/// The workflows of a seed, those that others run before them; and how many of the last ones clients start.
pub fn draw(seed: u64) -> (Vec<Arc<Flow>>, usize) {
    let dice = Dice::of(seed, "graphs");
    let mut flows: Vec<Arc<Flow>> = Vec::new();
    let errors = dice.hits(300).then(|| {
        flows.push(Arc::new(Flow::new(0, graphs::draw(&dice, 3, &[]), false, &[], RunSettings::default())));
        workflow_id(0)
    });
    for _ in 0..dice.pick(&[0, 1, 2, 3]) {
        let most = dice.pick(&[2, 4, 6]);
        let flow = Flow::draw(&dice, most, errors, &flows);
        flows.push(Arc::new(flow));
    }
    let tops = dice.pick(&[1, 1, 1, 2]);
    for _ in 0..tops {
        let most = dice.pick(&[3, 6, 6, 10, 10, 15, 25]);
        let flow = Flow::draw(&dice, most, errors, &flows);
        flows.push(Arc::new(flow));
    }
    (flows, tops)
}

impl Flow {
    /// One more workflow, which may run those before it.
    fn draw(dice: &Dice, most: usize, errors: Option<WorkflowId>, before: &[Arc<Self>]) -> Self {
        let number = u32::try_from(before.len()).unwrap_or_default();
        // What tells of failures is started with what no other workflow is.
        let runnable = before.iter().filter(|flow| Some(flow.version.workflow_id) != errors);
        let runnable = runnable.filter(|flow| flow.depth < DEEPEST);
        let usable: Vec<_> =
            runnable.map(|flow| Usable { flow: flow.number(), is_typed: flow.is_typed() }).collect();
        let shapes = graphs::draw(dice, most, &usable);
        Self::new(number, shapes, dice.hits(400), before, settings(dice, errors))
    }

    fn new(
        number: u32,
        shapes: Vec<Shape>,
        is_typed: bool,
        before: &[Arc<Self>],
        settings: RunSettings,
    ) -> Self {
        let graph = document(&shapes);
        let named = engine::used_workflows(&graph).into_iter().map(|(_, id, _)| id);
        let named: Vec<_> = named.chain(settings.error_workflow_id).collect();
        let found: Vec<_> = before.iter().filter(|flow| named.contains(&flow.version.workflow_id)).collect();
        let uses = found.iter().map(|flow| UsedVersion {
            workflow_id: flow.version.workflow_id,
            number: None,
            version_id: flow.version.id,
        });
        let version = Arc::new(WorkflowVersion {
            id: VersionId::new(numbered(2, number)),
            team_id: team(),
            workflow_id: workflow_id(number),
            workflow_name: format!("flow {number}"),
            number: 1,
            graph,
            input_params: if is_typed { asks_for_n() } else { Map::new() },
            is_api: true,
            created_on: Timestamp::UNIX_EPOCH,
            settings,
            uses: uses.collect(),
            experts: Vec::new(),
        });
        let plan = engine::compile(Arc::clone(&version)).expect("what is drawn may be published");
        let depth = found.iter().map(|flow| flow.depth + 1).max().unwrap_or_default();
        Self { shapes, version, plan, depth }
    }

    fn number(&self) -> u32 {
        // The number is the lower half of its ids.
        u32::try_from(self.version.workflow_id.uuid().as_u128() & u128::from(u32::MAX)).unwrap_or_default()
    }

    fn is_typed(&self) -> bool {
        !self.version.input_params.is_empty()
    }

    /// Whether it was published with another.
    pub fn uses(&self, other: &Self) -> bool {
        self.version.uses.iter().any(|used| used.version_id == other.version.id)
    }

    /// Whether people are asked in it.
    pub fn asks(&self) -> bool {
        self.shapes.iter().any(|shape| shape.does.as_ask().is_some())
    }
}

fn asks_for_n() -> Map<String, Value> {
    let schema = json!({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}});
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

fn settings(dice: &Dice, errors: Option<WorkflowId>) -> RunSettings {
    RunSettings {
        on_failure: dice.pick(&[OnFailure::FailFast, OnFailure::FinishBranches]),
        timeout_s: dice.pick(&[None, None, None, None, None, Some(5), Some(60), Some(600)]),
        max_steps: dice.pick(&[None, None, None, None, None, None, Some(2), Some(10)]),
        error_workflow_id: errors.filter(|_| dice.hits(700)),
    }
}

/// What a run is to do: a workflow, or for some items the body of a `for_each` in it.
#[derive(Debug, Clone)]
pub struct Task {
    /// The workflow.
    pub flow: Arc<Flow>,
    /// Places of the `for_each` that lead to the body.
    path: Vec<usize>,
    /// The first item and how many there are.
    items: Option<(u32, u32)>,
}

impl Task {
    /// What this run of the workflow is to do; None if there is no such body.
    pub fn of(flow: &Arc<Flow>, run: &Run) -> Option<Self> {
        let chunk = run.parent.as_ref().and_then(|parent| parent.chunk.as_ref());
        let mut task = Self { flow: Arc::clone(flow), path: Vec::new(), items: None };
        for key in chunk.iter().flat_map(|chunk| &chunk.path) {
            let place = task.names().place(key.as_str())?;
            task.shapes().get(place)?.does.as_each()?;
            task.path.push(place);
        }
        task.items = chunk.map(|chunk| (chunk.first, chunk.items));
        Some(task)
    }

    /// The `for_each` whose body it is.
    pub fn each(&self) -> Option<&Each> {
        let mut shapes = &self.flow.shapes;
        let mut found = None;
        for place in &self.path {
            let each = shapes[*place].does.as_each()?;
            (found, shapes) = (Some(each), &each.body);
        }
        found
    }

    /// The nodes, those of one item.
    pub fn shapes(&self) -> &[Shape] {
        self.each().map_or(&self.flow.shapes, |each| &each.body)
    }

    /// How they are called.
    pub fn names(&self) -> Names {
        let mut shapes = &self.flow.shapes;
        let mut names = Names::Deep(0);
        for place in &self.path {
            let Some(each) = shapes[*place].does.as_each() else { break };
            (names, shapes) = (each.names(names), &each.body);
        }
        names
    }

    /// The items, or None where there are none and the nodes are there once.
    pub fn copies(&self) -> Vec<Option<u32>> {
        self.items.map_or_else(|| vec![None], |(first, count)| (first..first + count).map(Some).collect())
    }

    /// The key of a node.
    pub fn key(&self, i: usize, item: Option<u32>) -> NodeKey {
        let key = self.names().key(i);
        item.map_or_else(|| key.clone(), |item| NodeKey::new(format!("{key}.{item}")))
    }

    /// The node of this key, and its item.
    pub fn find(&self, key: &NodeKey) -> Option<(usize, Option<u32>)> {
        let (name, item) = match key.as_str().split_once('.') {
            Some((name, item)) => (name, Some(item.parse().ok()?)),
            None => (key.as_str(), None),
        };
        let place = self.names().place(name).filter(|place| *place < self.shapes().len())?;
        self.copies().contains(&item).then_some((place, item))
    }

    /// What the node of this key does.
    pub fn does(&self, key: &NodeKey) -> Option<&Does> {
        self.find(key).map(|(place, _)| &self.shapes()[place].does)
    }

    /// The call that this node makes, if it makes one.
    pub fn call(&self, key: &NodeKey) -> Option<&Call> {
        self.does(key)?.as_call()
    }

    /// The sum of this over all nodes.
    pub fn sum(&self, of: impl Fn(&Does) -> u64) -> u64 {
        let copies = self.items.map_or(1, |(_, count)| u64::from(count));
        copies * self.shapes().iter().map(|shape| of(&shape.does)).sum::<u64>()
    }

    /// Every node, with its key and item.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeKey, &Shape)> {
        let names = self.names();
        self.copies().into_iter().flat_map(move |item| {
            self.shapes().iter().enumerate().map(move |(i, shape)| {
                let key = names.key(i);
                (item.map_or_else(|| key.clone(), |item| NodeKey::new(format!("{key}.{item}"))), shape)
            })
        })
    }
}
