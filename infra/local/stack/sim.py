"""Plays seeds of the simulation (tests/sim), built like what runs in production: a hundred thousand of them take minutes."""

import subprocess

from . import build
from .config import ROOT, Config, Problem

PROFILE = "standalone"


def run(_: Config, seeds: str, first: str, seed: str) -> int:
    """Plays many seeds, or one with its story; 1 if a rule did not hold."""
    build.require("cargo", "Install Rust from https://rustup.rs; rust-toolchain.toml names the version, rustup fetches it.")
    if subprocess.run(["cargo", "build", "--locked", "--quiet", "--profile", PROFILE, "-p", "sim"], cwd=ROOT).returncode != 0:
        raise Problem("The simulation does not build; see above.")
    chosen = ["--seed", seed] if seed else ["--seeds", seeds, "--from", first]
    return subprocess.run([build.target_directory() / PROFILE / "sim", *chosen]).returncode
