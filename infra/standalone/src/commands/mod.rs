//! One module per command. Each turns its arguments into one call of the parts below, and what came of it into lines.

mod audit;
mod completions;
mod keys;
mod migrate;
mod run;
mod seed;
mod serve;
mod validate;

use crate::{
    cli::Command,
    exit::{Exit, Trouble, trouble},
};

/// Does what the command line asks for.
pub(crate) fn execute(command: Command) -> Result<Exit, Trouble> {
    match command {
        Command::Serve(args) => in_runtime(serve::execute(args)),
        Command::Migrate(args) => in_runtime(migrate::execute(args)),
        Command::Keys(args) => in_runtime(keys::execute(args)),
        Command::Seed(args) => in_runtime(seed::execute(args)),
        Command::Audit(args) => in_runtime(audit::execute(args)),
        Command::Run(args) => in_runtime(run::execute(args)),
        Command::Validate(args) => validate::execute(&args),
        Command::Completions(args) => Ok(completions::execute(&args)),
    }
}

/// Runs a command that waits for others. What it left behind in the background ends with it.
fn in_runtime(command: impl Future<Output = Result<Exit, Trouble>>) -> Result<Exit, Trouble> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(trouble("no threads to work with"))?;
    let exit = runtime.block_on(command);
    runtime.shutdown_background();
    exit
}
