"""Builds the functions: quickly for the emulator, with every optimisation for AWS. Both end in `target/lambda/<function>/bootstrap`."""

import filecmp
import json
import os
import shutil
import subprocess
from pathlib import Path

from .config import FUNCTIONS, ROOT, Config, Problem, architecture, say

TARGETS = {"arm64": "aarch64-unknown-linux-gnu", "x86_64": "x86_64-unknown-linux-gnu"}


def local(config: Config) -> None:
    """Builds this machine's binaries with the light `local` profile. Cargo decides whether there is anything to do."""
    require("cargo", "Install Rust from https://rustup.rs; rust-toolchain.toml names the version, rustup fetches it.")
    say("Building the functions …")
    packages = [part for name in FUNCTIONS for part in ("-p", name)]
    if subprocess.run(["cargo", "build", "--locked", "--profile", "local", *packages], cwd=ROOT).returncode != 0:
        raise Problem("The functions don't build; see above.")
    for name in FUNCTIONS:
        built = target_directory() / "local" / name
        deployed = config.lambda_dir / name / "bootstrap"
        if not deployed.exists() or not filecmp.cmp(built, deployed, shallow=False):
            deployed.parent.mkdir(parents=True, exist_ok=True)
            fresh = deployed.with_suffix(".new")
            shutil.copy2(built, fresh)
            os.replace(fresh, deployed)  # never a half-written binary, also when a build is read at this moment


def release(config: Config, arch: str) -> None:
    """Builds what is deployed: fat LTO, stripped, for the architecture that Lambda runs."""
    target = TARGETS.get(arch)
    if target is None:
        raise Problem(f"ARCH is {arch!r}; it has to be arm64 or x86_64.")
    _require_target(target)
    say(f"Building for {arch}; with fat LTO this takes minutes …")
    packages = [part for name in FUNCTIONS for part in ("-p", name)]
    command = [str(config.venv / "bin" / "cargo-lambda"), "lambda", "build", "--locked", "--release", "--target", target]
    command += ["--lambda-dir", str(config.lambda_dir), *packages]
    # zig, which links for another machine, stands in the environment as a Python package.
    environment = {**os.environ, "PATH": f"{config.venv / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    if subprocess.run(command, cwd=ROOT, env=environment).returncode != 0:
        raise Problem("The release build failed; see above.")
    for name in FUNCTIONS:
        size = (config.lambda_dir / name / "bootstrap").stat().st_size
        say(f"  target/lambda/{name}/bootstrap  {size / 1e6:.1f} MB")


def target_directory() -> Path:
    """Where cargo puts what it builds; CARGO_TARGET_DIR or a cargo configuration may have moved it."""
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps", "--offline"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if told.returncode != 0:
        raise Problem(f"cargo metadata failed:\n{told.stderr}")
    return Path(json.loads(told.stdout)["target_directory"])


def require(program: str, how_to_get_it: str) -> None:
    """A program has to be on the PATH."""
    if shutil.which(program) is None:
        raise Problem(f"`{program}` is not installed. {how_to_get_it}")


def _require_target(target: str) -> None:
    require("rustc", "Install Rust from https://rustup.rs.")
    told = subprocess.run(["rustc", "--print", "target-libdir", "--target", target], cwd=ROOT, capture_output=True, text=True)
    if told.returncode != 0 or not list(Path(told.stdout.strip()).glob("libstd-*")):
        raise Problem(
            f"Rust's standard library for {target} is not installed. `rustup target add {target}` gets it.\n"
            "Or build for this machine: make build ARCH=" + architecture()
        )
