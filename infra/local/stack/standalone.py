"""Heddle as one process: the binary `heddle` over Postgres, in the background."""

import os
import subprocess
import urllib.error
from pathlib import Path

from . import build, process
from .api import NO_PROXY
from .config import LOOPBACK, ROOT, Config, Problem, digest, say


def binary(profile: str = "local") -> Path:
    """Builds `heddle`; cargo decides whether there is anything to do."""
    build.require("cargo", "Install Rust from https://rustup.rs; rust-toolchain.toml names the version, rustup fetches it.")
    say("Building heddle …")
    if subprocess.run(["cargo", "build", "--locked", "--profile", profile, "-p", "heddle"], cwd=ROOT).returncode != 0:
        raise Problem("heddle does not build; see above.")
    return build.target_directory() / profile / "heddle"


def serve(config: Config, heddle: Path, database_url: str, egress_allow: str, workers: int = 16) -> process.Service:
    """Migrates, seeds and serves; returns when it is ready. One that serves this very binary already is left alone."""
    facts = {"binary": digest(heddle), "egress_allow": egress_allow}
    service = process.running(config, "heddle")
    if service and service.facts == facts:
        say(f"heddle: {url(service)}")
        return service
    process.stop(config, "heddle")
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(config.directory("home")), "DATABASE_URL": database_url}
    for command in (["migrate"], ["seed", "--key-file", str(config.path("demo-key"))]):
        done = subprocess.run([str(heddle), *command], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise Problem(f"heddle {command[0]} failed:\n{done.stdout}{done.stderr}")
    port = process.choose_port(config, "heddle")
    command = [heddle, "serve", "--listen", f"{LOOPBACK}:{port}", "--workers", str(workers), "--data", config.directory("data")]
    command += ["--egress-allow", egress_allow]
    service = process.start(config, "heddle", command, port, env=environment, cwd=config.home, facts=facts)
    process.await_ready(config, service, lambda: _is_ready(port), seconds=30)
    say(f"heddle: {url(service)}")
    return service


def url(service: process.Service) -> str:
    """Base URL of its API."""
    return f"http://{LOOPBACK}:{service.port}"


def mailbox(config: Config) -> Path:
    """Where it puts the mail that it would send."""
    folder = config.directory("data") / "mailbox"
    return folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder


def _is_ready(port: int) -> bool:
    try:
        with NO_PROXY.open(f"http://{LOOPBACK}:{port}/health/ready", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False
