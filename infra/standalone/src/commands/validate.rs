//! `heddle validate`

use crate::{
    cli::Validate,
    exit::{Exit, Trouble},
    file::{self, WorkflowFile},
    findings::Findings,
    terminal::Stream,
};

/// Prints every mistake on stdout, for it is what was asked for.
pub(crate) fn execute(args: &Validate) -> Result<Exit, Trouble> {
    let text = file::read(&args.file)?;
    let violations = match WorkflowFile::parse(&text, &args.file) {
        Ok(workflow) => workflow.violations(),
        Err(violations) => violations,
    };
    let findings = Findings::new(&text, violations);
    if args.json {
        Stream::Out.line(&findings.to_json().to_string());
    } else {
        findings.print(Stream::Out);
        Stream::Out.line(&format!("{}: {}", args.file.display(), findings.summary()));
    }
    Ok(if findings.has_errors() { Exit::Refused } else { Exit::Succeeded })
}
