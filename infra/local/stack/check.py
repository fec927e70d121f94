"""Checks that need no running stack: formatting, lints, the template, licences and advisories."""

import shutil
import subprocess
from pathlib import Path

from . import build, venv
from .config import ROOT, Config, Problem, say


def full(config: Config) -> None:
    """Everything that a change has to pass besides the tests."""
    quick(config)
    _run(["cargo", "clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])
    _optional("cargo-machete", ["cargo", "machete"], "unused dependencies")
    _deny()


def quick(config: Config) -> None:
    """What takes seconds."""
    build.require("cargo", "Install Rust from https://rustup.rs.")
    venv.ensure(config)
    _run(["cargo", "fmt", "--all", "--check"])
    _engine_stays_pure()
    _one_process_needs_no_aws()
    _run([*venv.tool(config, "cfn-lint"), "--include-checks", "I", "--template", "template.yaml"])
    unittest = [str(config.python), "-B", "-W", "ignore::ResourceWarning", "-m", "unittest", "discover", "--quiet"]
    _run([*unittest, "--start-directory", "infra/local/tests", "--top-level-directory", "infra/local"])


def _engine_stays_pure() -> None:
    """The engine decides and does nothing else: no runtime, database, HTTP or AWS client in its tree."""
    impure = ("tokio", "sqlx", "reqwest", "hyper", "aws-")
    banned = [crate for crate in _tree("engine") if crate.startswith(impure)]
    if banned:
        raise Problem(f"The engine may not depend on {', '.join(banned)} (ARCHITECTURE.md, invariants).")


def _one_process_needs_no_aws() -> None:
    """What runs on one machine links nothing of AWS."""
    banned = [crate for crate in _tree("heddle") if crate.startswith(("aws", "lambda"))]
    if banned:
        raise Problem(f"heddle may not depend on {', '.join(banned)}: its functions come without their feature `lambda`.")


def _tree(package: str) -> list:
    """Every crate that a package links."""
    tree = ["cargo", "tree", "--locked", "--package", package, "--edges", "normal", "--prefix", "none", "--format", "{p}"]
    told = subprocess.run(tree, cwd=ROOT, capture_output=True, text=True)
    if told.returncode != 0:
        raise Problem(f"cargo tree failed:\n{told.stderr}")
    return sorted({line.split()[0] for line in told.stdout.splitlines() if line})


def _deny() -> None:
    """Licences and sources need no network; advisories need a database, which is used if it is here."""
    _optional("cargo-deny", ["cargo", "deny", "--offline", "check", "bans", "licenses", "sources"], "licences")
    databases = Path.home() / ".cargo" / "advisory-dbs"
    if databases.is_dir() and any(databases.iterdir()):
        _optional("cargo-deny", ["cargo", "deny", "--offline", "check", "advisories"], "advisories")
    else:
        say("skipped: advisories (no advisory database; `cargo deny fetch` gets one)")


def _optional(program: str, command: list, what: str) -> None:
    if shutil.which(program):
        _run(command)
    else:
        say(f"skipped: {what} (`cargo install --locked {program}` adds this check)")


def _run(command: list) -> None:
    shown = " ".join(Path(part).name if part.startswith(str(ROOT)) else part for part in command)
    say(f"$ {shown}")
    if subprocess.run(command, cwd=ROOT).returncode != 0:
        raise Problem(f"Failed: {shown}")
