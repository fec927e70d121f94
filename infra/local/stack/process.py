"""Background services: started in a process group of their own, remembered with their start time, stopped as a group.

A process id alone says little, since ids are used again. A service is only ours while its id and its start time both match.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from .config import LOOPBACK, Config, Problem, say, DEFAULT_PORTS


@dataclass(frozen=True)
class Service:
    """A running service as its record under `run/` describes it."""

    name: str
    pid: int
    started: str
    port: int
    facts: dict

    def alive(self) -> bool:
        return _started(self.pid) == self.started


def start(config: Config, name: str, command: list, port: int, *, env: dict, cwd: Path, facts: "dict | None" = None, **how) -> Service:
    """Starts a service whose output goes to `logs/<name>.log`."""
    with open(config.path("logs", f"{name}.log"), "ab") as log:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=env,
            cwd=cwd,
            **how,
        )
    service = Service(name, process.pid, _started(process.pid) or "", port, facts or {})
    config.path("run", f"{name}.json").write_text(json.dumps(asdict(service)))
    return service


def running(config: Config, name: str) -> "Service | None":
    """The recorded service, if that very process still runs."""
    service = _recorded(config, name)
    return service if service and service.alive() else None


def stop(config: Config, name: str, how: int = signal.SIGTERM, patience: float = 20) -> bool:
    """Ends a service and every process of its group; says whether there was anything to end."""
    service = _recorded(config, name)
    if service is None:
        return False
    now = _started(service.pid)
    ours = now in (None, service.started)  # None: the leader is gone, its group may not be
    found = ours and _group_alive(service.pid)
    if found:
        _end_group(service.pid, how, patience)
    config.path("run", f"{name}.json").unlink(missing_ok=True)
    return found


def await_ready(config: Config, service: Service, probe, seconds: float) -> None:
    """Waits until `probe()` is true; a service that dies first is a problem that shows the end of its log."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if probe():
            return
        if not service.alive():
            break
        time.sleep(0.05)
    log = config.path("logs", f"{service.name}.log")
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise Problem(f"{service.name} did not come up on port {service.port}. The end of {log}:\n{tail}")


def choose_port(config: Config, name: str) -> int:
    """The port to listen on: the one asked for, else the default, else a free one. An asked-for port that is taken is a problem."""
    asked = config.asked_port(name)
    if asked is not None:
        if asked and listening(asked):
            raise Problem(f"Port {asked} is taken by another program. Set HEDDLE_PORT_{name.upper()} to a free port, or to 0 for any.")
        return asked or _free_port()
    default = DEFAULT_PORTS[name]
    if not listening(default):
        return default
    free = _free_port()
    say(f"  port {default} is taken by another program; {name} uses {free} (HEDDLE_PORT_{name.upper()} sets it)")
    return free


def listening(port: int) -> bool:
    """Whether a program accepts connections on a port of the loopback interface."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def until(condition, seconds: float) -> bool:
    """Waits for a condition; says whether it came true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


def _recorded(config: Config, name: str) -> "Service | None":
    with contextlib.suppress(FileNotFoundError, ValueError, TypeError):
        return Service(**json.loads(config.path("run", f"{name}.json").read_text()))
    return None


def _started(pid: int) -> "str | None":
    """When a process started, in a form that only compares; None if it has ended (a zombie has)."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # one of our own children would stay a zombie
    if Path("/proc/self/stat").exists():
        try:
            state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return None if state in "ZX" else f"{boot} {rest[18]}"
    shown = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True).stdout.split(maxsplit=1)
    return None if not shown or shown[0].startswith("Z") else shown[1].strip()


def _end_group(group: int, how: int, patience: float) -> None:
    """Asks the leader, gives it time, then asks and at last forces whatever of the group is left."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(group, how)
    until(lambda: _started(group) is None, patience)
    for final in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, final)
        if until(lambda: not _group_alive(group), 3):
            return
    raise Problem(f"Process group {group} does not end.")


def _group_alive(group: int) -> bool:
    """Whether any process of the group runs on; zombies that only wait to be collected don't count."""
    _started(group)
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    if not Path("/proc/self/stat").exists():
        return True
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                state, _, member_of = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
                if int(member_of) == group and state not in "ZX":
                    return True
    return False
