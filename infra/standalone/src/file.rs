//! A workflow as a file.

use std::{fs, path::Path};

use app::ports::Clock;
use domain::{FieldError, Graph, NodeId, RunSettings, TeamId, VersionId, WorkflowId, WorkflowVersion};
use engine::{Severity, Violation};
use heddle_http::{ApiError, Json};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::exit::Trouble;

/// Where the graph is in a file of the long form.
const GRAPH: &str = "/graph";

/// Where the schema of the inputs is in a file of the long form.
const INPUT_PARAMS: &str = "/workflow/input_params";

/// A workflow that was read; its graph may still break rules.
#[derive(Debug, PartialEq)]
pub(crate) struct WorkflowFile {
    /// Its name; the file's where it has none.
    pub(crate) name: String,
    /// What it does.
    pub(crate) graph: Graph,
    /// JSON Schema of a run's inputs.
    pub(crate) input_params: Map<String, Value>,
    /// Inputs to try it with.
    pub(crate) sample_inputs: Option<Value>,
    is_api: bool,
    /// JSON Pointer to the graph.
    graph_at: &'static str,
}

/// The long form, which is also what an export answers (docs/versions.md). What matters only to an import is read and left.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "format")]
    _format: Option<String>,
    #[serde(rename = "version")]
    _version: Option<u32>,
    #[serde(default)]
    workflow: Head,
    graph: Graph,
    sample_inputs: Option<Map<String, Value>>,
    /// What the sample inputs should give; for readers.
    #[serde(rename = "sample_result")]
    _sample_result: Option<Value>,
    #[serde(rename = "requires")]
    _requires: Option<Vec<Value>>,
    #[serde(rename = "mapping")]
    _mapping: Option<Map<String, Value>>,
}

/// What `POST /api/v1/workflows` takes; what matters only there is read and left.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    name: Option<String>,
    #[serde(default)]
    input_params: Map<String, Value>,
    #[serde(default)]
    is_api: bool,
    #[serde(rename = "description")]
    _description: Option<String>,
    #[serde(rename = "tags")]
    _tags: Option<Vec<String>>,
    #[serde(rename = "settings")]
    _settings: Option<Map<String, Value>>,
    #[serde(rename = "is_public")]
    _is_public: Option<bool>,
    #[serde(rename = "cron_schedule")]
    _cron_schedule: Option<String>,
    #[serde(rename = "cron_timezone")]
    _cron_timezone: Option<String>,
}

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Trouble> {
    fs::read(path).map_err(|error| Trouble::usage(format!("{} can't be read: {error}", path.display())))
}

impl WorkflowFile {
    /// Reads the long form, `{"workflow": …, "graph": …, "sample_inputs": …}`, or a graph alone. Answers every mistake of form as
    /// the API would.
    pub(crate) fn parse(text: &[u8], path: &Path) -> Result<Self, Vec<Violation>> {
        let Json(fields) = Json::<Map<String, Value>>::from_bytes(text).map_err(|error| mistakes(&error))?;
        let stem = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if fields.contains_key("nodes") {
            let Json(graph) = Json::from_bytes(text).map_err(|error| mistakes(&error))?;
            let (input_params, sample_inputs) = (Map::new(), None);
            return Ok(Self {
                name: stem(),
                graph,
                input_params,
                sample_inputs,
                is_api: false,
                graph_at: "",
            });
        }
        let Json(Document { workflow, graph, sample_inputs, .. }) =
            Json::from_bytes(text).map_err(|error| mistakes(&error))?;
        let Head { name, input_params, is_api, .. } = workflow;
        let (name, sample_inputs) = (name.unwrap_or_else(stem), sample_inputs.map(Value::Object));
        Ok(Self { name, graph, input_params, sample_inputs, is_api, graph_at: GRAPH })
    }

    /// Every rule that the workflow breaks, with pointers into the file. What it refers to is not looked up.
    pub(crate) fn violations(&self) -> Vec<Violation> {
        let graph = engine::validate_for_publish(&self.graph);
        let input_params = engine::validate_input_params(&self.input_params);
        self.in_file(graph).chain(input_params.into_iter().map(|found| below(INPUT_PARAMS, found))).collect()
    }

    /// Violations of the graph with pointers into the file.
    pub(crate) fn in_file(&self, violations: Vec<Violation>) -> impl Iterator<Item = Violation> {
        violations.into_iter().map(|found| below(self.graph_at, found))
    }

    /// The workflow as a version of the team. Its ids follow from the content, so that the same file is the same version, and
    /// files of one name are versions of one workflow.
    pub(crate) fn version(&self, team: TeamId, clock: &dyn Clock) -> WorkflowVersion {
        let Self { name, graph, input_params, is_api, .. } = self;
        let version = derived_id("version", &(team, name, graph, input_params, is_api));
        let mut graph = graph.clone();
        for node in &mut graph.nodes {
            let id = || NodeId::new(derived_id("node", &(version, &node.key)));
            node.id = Some(node.id.unwrap_or_else(id));
        }
        WorkflowVersion {
            id: VersionId::new(version),
            team_id: team,
            workflow_id: WorkflowId::new(derived_id("workflow", &(team, name))),
            workflow_name: name.clone(),
            // Files have no order among themselves.
            number: 1,
            graph,
            input_params: input_params.clone(),
            is_api: *is_api,
            settings: RunSettings::default(),
            uses: Vec::new(),
            experts: Vec::new(),
            created_on: clock.now(),
        }
    }
}

fn below(prefix: &str, violation: Violation) -> Violation {
    Violation { pointer: format!("{prefix}{}", violation.pointer), ..violation }
}

/// What a refusal of the form lists, or the refusal itself where the text is no JSON at all.
fn mistakes(error: &ApiError) -> Vec<Violation> {
    let mistake = |pointer: &str, code: &str, message: &str| Violation {
        severity: Severity::Error,
        node: None,
        pointer: pointer.to_owned(),
        code: code.to_owned(),
        message: message.to_owned(),
        offset: None,
    };
    let listed = |FieldError { pointer, code, detail, .. }: &FieldError| mistake(pointer, code, detail);
    match error.errors() {
        [] => vec![mistake("", error.code().as_str(), error.detail())],
        errors => errors.iter().map(listed).collect(),
    }
}

/// An id that follows from what it stands for: a UUID of version 8, which RFC 9562 leaves to applications.
fn derived_id(kind: &str, of: &impl Serialize) -> Uuid {
    // Plain data with text keys: writing it can't fail.
    let content = serde_json::to_vec(&(kind, of)).unwrap_or_default();
    let mut id = [0; 16];
    id.copy_from_slice(&Sha256::digest(content)[..16]);
    Uuid::new_v8(id)
}

#[cfg(test)]
mod tests {
    use catalog::DEMO_TEAM;
    use runtime::SystemClock;
    use serde_json::json;

    use super::*;

    fn parsed(document: &Value) -> Result<WorkflowFile, Vec<Violation>> {
        WorkflowFile::parse(document.to_string().as_bytes(), Path::new("dir/orders.json"))
    }

    fn file(document: &Value) -> WorkflowFile {
        parsed(document).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
    }

    fn graph() -> Value {
        json!({"nodes": [{"key": "a", "node_type": "return", "metadata": {"output": "{{ input }}"}}], "edges": []})
    }

    fn places(violations: &[Violation]) -> Vec<(&str, &str)> {
        violations.iter().map(|found| (found.pointer.as_str(), found.code.as_str())).collect()
    }

    #[test]
    fn a_graph_alone_is_a_workflow_named_as_its_file() {
        let bare = file(&graph());
        assert_eq!((bare.name.as_str(), bare.sample_inputs.as_ref()), ("orders", None));
        let long = json!({"workflow": {"name": "Orders", "tags": ["x"]}, "graph": graph(), "sample_inputs": {"n": 1}});
        let long = file(&long);
        assert_eq!((long.name.as_str(), &long.graph), ("Orders", &bare.graph));
        assert_eq!(long.sample_inputs, Some(json!({"n": 1})));
    }

    #[test]
    fn an_exported_workflow_is_a_file_too() {
        let exported = json!({
            "format": "heddle.workflow", "version": 1,
            "workflow": {"name": "Orders", "is_public": true, "cron_schedule": "0 9 * * *", "cron_timezone": "Europe/Berlin"},
            "graph": graph(), "requires": [{"kind": "secret", "id": "SHOP"}], "mapping": {},
        });
        assert_eq!((file(&exported).name.as_str(), file(&exported).graph), ("Orders", file(&graph()).graph));
    }

    #[test]
    fn mistakes_of_form_are_listed_with_their_places() {
        let wrong = json!({"workflow": {"nam": "x", "is_api": 7}, "graph": {"nodes": [{"key": "a"}]}});
        assert_eq!(
            places(&parsed(&wrong).unwrap_err()),
            [
                ("/workflow/nam", "unknown_field"),
                ("/workflow/is_api", "invalid_type"),
                ("/graph/nodes/0/node_type", "missing_field"),
            ]
        );
        let no_json = WorkflowFile::parse(b"{\"nodes\": [}", Path::new("x.json")).unwrap_err();
        assert_eq!(places(&no_json), [("", "invalid_json")]);
        assert!(no_json[0].message.starts_with("Line 1, column 12"), "{}", no_json[0].message);
        assert_eq!(places(&parsed(&json!([])).unwrap_err()), [("", "invalid_type")]);
    }

    #[test]
    fn pointers_of_violations_lead_into_the_file() {
        let bad = json!({"nodes": [{"key": "a", "node_type": "teleport"}]});
        assert_eq!(places(&file(&bad).violations()), [("/nodes/0/node_type", "unknown_type")]);
        let long = json!({"workflow": {"input_params": {"type": "text"}}, "graph": bad});
        assert_eq!(
            places(&file(&long).violations()),
            [("/graph/nodes/0/node_type", "unknown_type"), ("/workflow/input_params/type", "wrong_schema")]
        );
    }

    #[test]
    fn the_same_file_is_the_same_version_and_an_edited_one_another_of_the_same_workflow() {
        let one = file(&graph()).version(DEMO_TEAM, &SystemClock);
        let again = file(&graph()).version(DEMO_TEAM, &SystemClock);
        assert_eq!((one.id, one.workflow_id), (again.id, again.workflow_id));
        assert_eq!(one.id.uuid().get_version_num(), 8);
        assert_eq!(one.graph, again.graph);
        assert!(one.graph.nodes.iter().all(|node| node.id.is_some()));

        let mut edited = graph();
        edited["nodes"][0]["metadata"]["output"] = json!("{{ 1 }}");
        let edited = file(&edited).version(DEMO_TEAM, &SystemClock);
        assert_eq!(edited.workflow_id, one.workflow_id);
        assert_ne!(edited.id, one.id);
        let foreign = file(&graph()).version(TeamId::new(Uuid::nil()), &SystemClock);
        assert!(foreign.id != one.id && foreign.workflow_id != one.workflow_id);
    }
}
