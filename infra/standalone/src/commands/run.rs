//! `heddle run`

use std::path::Path;

use domain::RunId;
use engine::{Severity, Violation};
use serde_json::{Map, Value};

use crate::{
    cli::Run,
    exit::{Exit, Trouble},
    file::{self, WorkflowFile},
    findings::Findings,
    inputs,
    run::{log, session::Session},
    stores::Postgres,
    terminal::Stream,
};

/// Connections to Postgres, made as they are needed: one for each of the two writers, one for those who read.
const CONNECTIONS: u32 = 3;

/// Runs a file, or goes on with a run. Whatever can be refused without a database is.
pub(crate) async fn execute(args: Run) -> Result<Exit, Trouble> {
    log::warnings()?;
    match (args.file.as_deref(), args.resume) {
        (_, Some(run)) => resume(&args, run).await,
        (Some(path), None) => match Asked::read(path, args.inputs.as_deref())? {
            Ok(asked) => run(&args, path, asked).await,
            Err(findings) => Ok(refuse(&findings, path, args.json)),
        },
        (None, None) => Err(Trouble::usage("name a workflow file, or a run by --resume")),
    }
}

async fn run(args: &Run, path: &Path, asked: Asked) -> Result<Exit, Trouble> {
    let postgres = migrated(args).await?;
    let unknown = asked.unknown_references(&postgres, args).await?;
    if unknown.has_errors() {
        return Ok(refuse(&unknown, path, args.json));
    }
    let Asked { workflow, inputs, .. } = asked;
    Session::open(&postgres, args).await?.run(&workflow, inputs).await
}

async fn resume(args: &Run, run: RunId) -> Result<Exit, Trouble> {
    let postgres = migrated(args).await?;
    Session::open(&postgres, args).await?.resume(run).await
}

async fn migrated(args: &Run) -> Result<Postgres, Trouble> {
    let postgres = Postgres::find(&args.database, CONNECTIONS).await?;
    for migration in postgres.migrate().await? {
        Stream::Err.line(&Stream::Err.faint(format!("applied {migration}")));
    }
    Ok(postgres)
}

/// Tells what is wrong: programs on stdout, as `heddle validate` does; people on stderr.
fn refuse(findings: &Findings, path: &Path, json: bool) -> Exit {
    if json {
        Stream::Out.line(&findings.to_json().to_string());
    } else {
        findings.print(Stream::Err);
        Stream::Err.line(&format!("{}: {}", path.display(), findings.summary()));
    }
    Exit::Refused
}

/// A workflow that keeps the rules, with inputs that fit it.
struct Asked {
    text: Vec<u8>,
    workflow: WorkflowFile,
    inputs: Value,
}

impl Asked {
    /// Reads the file and the inputs, or answers everything that is wrong with them.
    fn read(path: &Path, given: Option<&str>) -> Result<Result<Self, Findings>, Trouble> {
        let text = file::read(path)?;
        let given = given.map(inputs::read).transpose()?;
        let workflow = match WorkflowFile::parse(&text, path) {
            Ok(workflow) => workflow,
            Err(violations) => return Ok(Err(Findings::new(&text, violations))),
        };
        let sample = || workflow.sample_inputs.clone().unwrap_or_else(|| Value::Object(Map::new()));
        let inputs = given.unwrap_or_else(sample);
        let violations = workflow.violations();
        let errors = violations.into_iter().filter(|found| found.severity == Severity::Error);
        let mut errors: Vec<Violation> = errors.collect();
        // Inputs can only be held against a schema that is one.
        if errors.is_empty() {
            let misfits = engine::validate_inputs(&workflow.input_params, &inputs);
            let at_inputs =
                |found: Violation| Violation { pointer: format!("/inputs{}", found.pointer), ..found };
            errors.extend(misfits.into_iter().map(at_inputs));
        }
        Ok(if errors.is_empty() {
            Ok(Self { text, workflow, inputs })
        } else {
            Err(Findings::new(&text, errors))
        })
    }

    /// What the graph refers to and the team does not have.
    async fn unknown_references(&self, postgres: &Postgres, args: &Run) -> Result<Findings, Trouble> {
        let graph = &self.workflow.graph;
        let violations = if engine::references(graph).is_empty() {
            Vec::new()
        } else {
            let schema = &self.workflow.input_params;
            let found = app::validate_graph(&postgres.catalog(), args.team, graph, schema).await;
            self.workflow.in_file(found.map_err(|error| postgres.refuses(error))?).collect()
        };
        Ok(Findings::new(&self.text, violations))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    fn asked(document: &Value, inputs: Option<&str>) -> Result<Asked, Findings> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("orders.json");
        fs::write(&path, document.to_string()).unwrap();
        Asked::read(&path, inputs).unwrap()
    }

    fn orders() -> Value {
        json!({
            "workflow": {"input_params": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}},
            "graph": {"nodes": [{"key": "a", "node_type": "return", "metadata": {"output": "{{ input.n }}"}}]},
            "sample_inputs": {"n": 7},
        })
    }

    #[test]
    fn inputs_replace_those_of_the_file_as_a_whole() {
        assert_eq!(asked(&orders(), None).ok().unwrap().inputs, json!({"n": 7}));
        assert_eq!(asked(&orders(), Some(r#"{"n": 8}"#)).ok().unwrap().inputs, json!({"n": 8}));
        let refused = asked(&orders(), Some(r#"{"m": 8}"#)).err().unwrap().to_json();
        assert_eq!(refused["violations"][0]["pointer"], "/inputs");
        let refused = asked(&orders(), Some(r#"{"n": "x"}"#)).err().unwrap().to_json();
        assert_eq!(refused["violations"][0]["pointer"], "/inputs/n");
    }

    #[test]
    fn a_workflow_that_breaks_rules_is_refused_before_its_inputs_are_looked_at() {
        let mut wrong = orders();
        wrong["graph"]["nodes"][0]["node_type"] = json!("teleport");
        wrong["workflow"]["input_params"] = json!({"type": "text"});
        let refused = asked(&wrong, Some("{}")).err().unwrap();
        assert_eq!(refused.summary(), "2 errors");
    }
}
