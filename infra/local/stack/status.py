"""What runs, what it says, and the end of it."""

import shutil
import time

from . import emulator, postgres, process, sample
from .config import LOOPBACK, STACK_NAME, Config, Problem, say

SERVICES = ("postgres", "emulator", "sample", "heddle")


def show(config: Config) -> None:
    """One line per service."""
    for name in SERVICES:
        service = process.running(config, name)
        say(f"  {name:<10}" + (f"{LOOPBACK}:{service.port:<6} pid {service.pid}" if service else "-"))
    if process.running(config, "emulator"):
        state, outputs = emulator.stack(emulator.endpoint(config), STACK_NAME)
        say(f"  {'stack':<10}{state or 'not deployed'}")
        for key, value in sorted(outputs.items()):
            say(f"    {key:<22}{value}")


def down(config: Config) -> None:
    """Ends every service of the stack, functions included; what is on disk stays."""
    stopped = [name for name in ("emulator", "sample", "heddle") if process.stop(config, name)]
    stopped += ["postgres"] if postgres.stop(config) else []
    if config.throwaway:
        shutil.rmtree(config.home, ignore_errors=True)
    say(f"Stopped: {', '.join(stopped)}" if stopped else "Nothing was running.")


def logs(config: Config, function: "str | None", follow: bool = False) -> None:
    """The last log lines of a function, or of every service where none is named."""
    if not function:
        for path in sorted(config.directory("logs").glob("*.log")):
            say(f"── {path.stem} " + "─" * (60 - len(path.stem)))
            say("\n".join(path.read_text(errors="replace").splitlines()[-15:]))
        return
    at, since = emulator.endpoint(config), 0
    while True:
        since = _print_events(at, f"/aws/lambda/{STACK_NAME}-{function}", since)
        if not follow:
            return
        time.sleep(1)


def _print_events(at: str, group: str, since: int) -> int:
    """Prints what came after `since` (milliseconds); returns where to go on."""
    wanted = {"logGroupName": group, "startTime": since}
    events = []
    while True:
        page = emulator.json_call(at, "logs", "Logs_20140328.FilterLogEvents", wanted)
        events += page.get("events", [])
        if not page.get("nextToken"):
            break
        wanted["nextToken"] = page["nextToken"]
    for event in events if since else events[-200:]:
        say(event["message"].rstrip())
    return max([event["timestamp"] + 1 for event in events], default=since)
