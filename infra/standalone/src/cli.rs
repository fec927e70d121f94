//! The command line. Its doc comments are the help that users read.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf};

use catalog::DEMO_TEAM;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use connectors::egress::EgressPolicy;
use domain::{RunId, TeamId};
use heddle_http::Origins;

/// Durable workflows of API calls and data steps, in one process over Postgres.
#[derive(Parser)]
#[command(name = "heddle", version, arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Serve(Serve),
    Migrate(Database),
    Seed(Seed),
    Audit(Audit),
    #[command(subcommand)]
    Keys(Keys),
    Run(Run),
    Validate(Validate),
    Completions(Completions),
}

/// Which Postgres.
#[derive(Args)]
#[command(about = "Bring the database to the schema of this version; safe to repeat")]
pub(crate) struct Database {
    /// Postgres that holds everything but large values: postgres://user:password@host:port/database
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
}

/// Where large values are.
#[derive(Args)]
pub(crate) struct Data {
    /// Directory for values too large for Postgres; the same for every process on one database [default: heddle in the user's
    /// data directory]
    #[arg(long, value_name = "DIR", env = "HEDDLE_DATA")]
    pub(crate) data: Option<PathBuf>,
}

/// What may be reached.
#[derive(Args)]
pub(crate) struct Egress {
    /// What workflows may call although its address is not public: host:port, ip:port, cidr or cidr:port, separated by commas
    #[arg(long, value_name = "RULES", env = "EGRESS_ALLOW", default_value = "", hide_default_value = true)]
    pub(crate) egress_allow: EgressPolicy,
}

/// Serve the API and work on runs, until SIGINT or SIGTERM
#[derive(Args)]
pub(crate) struct Serve {
    /// Address to listen on; only this machine reaches the default
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:4500")]
    pub(crate) listen: SocketAddr,
    /// How many steps are worked on at a time
    #[arg(long, value_name = "N", default_value = "16")]
    pub(crate) workers: NonZeroU32,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) data: Data,
    #[command(flatten)]
    pub(crate) egress: Egress,
    /// Origins whose pages may call the API, separated by commas; each a scheme with a host, and a port if need be
    #[arg(long, value_name = "ORIGINS", env = "CORS_ORIGINS", default_value = "", hide_default_value = true)]
    pub(crate) cors_origins: Origins,
}

/// Make the demo team, with an API key for it; safe to repeat
#[derive(Args)]
pub(crate) struct Seed {
    /// File with the API key; made with a new one where it is missing
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: PathBuf,
    #[command(flatten)]
    pub(crate) database: Database,
}

/// Look after the audit logs of teams
#[derive(Args)]
pub(crate) struct Audit {
    #[command(subcommand)]
    pub(crate) command: AuditCommand,
}

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    Verify(VerifyAudit),
}

/// Compute every hash of a team's audit log again, and name the first entry that is not what it was
///
/// The last line is the hash of the last entry. Noted elsewhere with how many there are, it shows whether the end was cut off.
///
/// Exit status: 0 the log is whole, 1 it is not.
#[derive(Args)]
pub(crate) struct VerifyAudit {
    /// Team whose log it is; one that was deleted has it still
    #[arg(long, value_name = "TEAM_ID", default_value_t = DEMO_TEAM, hide_default_value = true)]
    pub(crate) team: TeamId,
    #[command(flatten)]
    pub(crate) database: Database,
}

/// Look after the keys that sign access tokens
#[derive(Subcommand)]
pub(crate) enum Keys {
    Rotate(Rotate),
}

/// Let the next key sign, and draw another one after it
///
/// Tokens of the present key hold until they expire. Wait 20 minutes before the next rotation, unless a key has leaked.
#[derive(Args)]
pub(crate) struct Rotate {
    /// Read the keys from stdin and print the rotated ones, for a deployment whose secrets are elsewhere
    #[arg(long, conflicts_with = "data")]
    pub(crate) pipe: bool,
    #[command(flatten)]
    pub(crate) data: Data,
}

/// Run a workflow file durably in this process, and print its result
///
/// Steps are told on stderr as they happen, the result goes to stdout. Every step is stored before the next one begins, so a run
/// that was interrupted goes on where it stood: by --resume, or by `heddle serve` on the same database.
///
/// Exit status: 0 the run succeeded, 1 it failed, 2 the workflow, its inputs or the usage are wrong, 130 interrupted.
#[derive(Args)]
pub(crate) struct Run {
    /// JSON file with the workflow, its graph and sample inputs, or with the graph alone
    #[arg(required_unless_present = "resume")]
    pub(crate) file: Option<PathBuf>,
    /// Inputs as JSON, as @FILE, or from stdin as - [default: the file's sample inputs]
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    pub(crate) inputs: Option<String>,
    /// Print events as JSON, one a line; the last one holds the result
    #[arg(long)]
    pub(crate) json: bool,
    /// Go on with a run that was interrupted
    #[arg(long, value_name = "RUN_ID", conflicts_with_all = ["file", "inputs"])]
    pub(crate) resume: Option<RunId>,
    /// Team that owns the run
    #[arg(long, value_name = "TEAM_ID", default_value_t = DEMO_TEAM, hide_default_value = true)]
    pub(crate) team: TeamId,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) data: Data,
    #[command(flatten)]
    pub(crate) egress: Egress,
}

/// Find every mistake in a workflow file, without a database
///
/// Exit status: 0 it may be published (warnings aside), 2 it may not.
#[derive(Args)]
pub(crate) struct Validate {
    /// JSON file with the workflow and its graph, or with the graph alone
    pub(crate) file: PathBuf,
    /// Print the mistakes as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Print a completion script for a shell
#[derive(Args)]
pub(crate) struct Completions {
    /// Shell to complete in
    pub(crate) shell: Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn refused(line: &str) -> String {
        match Cli::try_parse_from(line.split(' ')) {
            Ok(_) => panic!("{line} was taken"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_run_is_of_a_file_or_resumed_and_never_both() {
        assert!(Cli::try_parse_from(["heddle", "run", "a.json", "--inputs", "-"]).is_ok());
        assert!(Cli::try_parse_from(["heddle", "run", "--resume", &DEMO_TEAM.to_string()]).is_ok());
        assert!(refused("heddle run").contains("<FILE>"));
        assert!(refused(&format!("heddle run a.json --resume {DEMO_TEAM}")).contains("cannot be used"));
    }

    #[test]
    fn rules_for_egress_are_checked_before_anything_starts() {
        assert!(refused("heddle serve --egress-allow nonsense").contains("host:port"));
    }

    #[test]
    fn the_password_in_a_url_is_not_shown_by_help() {
        for mut command in Cli::command().get_subcommands().cloned() {
            assert!(!command.render_long_help().to_string().contains("[env: DATABASE_URL="));
        }
    }
}
