//! The rule by which stored records become a run's values: the control state decides, records only fill in.

use std::{collections::HashMap, sync::Arc};

use engine::{NodeState, Run, StepRecord, Values, run::error_value};
use serde_json::Value;

use crate::ports::LoadedRun;

impl LoadedRun {
    /// Composes a run from its control state and the records found beside it. Workers write records before they commit, so some
    /// may belong to a commit that was lost to another worker. Kept are the records that the control state names by attempt and
    /// digest, and those of earlier attempts that `was_retried` knows as committed.
    pub fn compose(
        run: Run,
        inputs: Arc<Value>,
        records: impl IntoIterator<Item = StepRecord>,
        was_retried: impl Fn(&StepRecord) -> bool,
    ) -> Self {
        let mut loaded =
            Self { run, values: Values { inputs, outputs: HashMap::new() }, records: Vec::new() };
        let committed =
            records.into_iter().filter(|record| names(&loaded.run, record) || was_retried(record)).collect();
        loaded.take(committed);
        loaded
    }

    /// Moves on to the state that was just committed together with `records`, without reading it again.
    pub fn move_on(&mut self, run: Run, records: Vec<StepRecord>) {
        self.run = run;
        self.take(records);
    }

    fn take(&mut self, records: Vec<StepRecord>) {
        for record in &records {
            if names(&self.run, record) {
                self.values.outputs.insert(record.node.clone(), value_of(record));
            }
        }
        self.records.extend(records);
        self.records.sort_by_key(|record| (record.started_on, record.finished_on));
    }
}

/// Whether the control state names this record as what settled its node.
pub fn names(run: &Run, record: &StepRecord) -> bool {
    match run.nodes.get(&record.node) {
        Some(
            NodeState::Succeeded { attempt, output, settled_at, .. }
            | NodeState::Failed { attempt, output, settled_at, .. },
        ) => *attempt == record.attempt && *output == record.digest && *settled_at == record.settled_at,
        _ => false,
    }
}

/// What children of the node see: its output, or its failure as data (engine.md, `error` edge).
fn value_of(record: &StepRecord) -> Arc<Value> {
    match (&record.output, &record.error) {
        (Some(output), _) => Arc::clone(output),
        (None, Some(failure)) => Arc::new(error_value(failure)),
        (None, None) => Arc::default(),
    }
}
