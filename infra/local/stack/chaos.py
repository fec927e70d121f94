"""Kills the deployed workers at random while hundreds of runs are in flight (tests/flows/chaos.rs), on a stack of its own."""

import os

from . import config as settings_of, status, tests
from .config import ROOT, Config


def run(_: Config, seed: str, runs: str, kills: str) -> None:
    """Brings a stack up, plays the test on it and takes it down; a seed that is left out is drawn, and printed."""
    from .cli import bring_up

    tests.clear_leftovers("chaos")
    throwaway = settings_of.load(ROOT / ".local" / f"chaos-{os.getpid()}", throwaway=True)
    try:
        asked = {"HEDDLE_FLOW_SEED": seed, "HEDDLE_CHAOS_RUNS": runs, "HEDDLE_CHAOS_KILLS": kills}
        told = {**tests.environment(throwaway, bring_up(throwaway)), **asked}
        tests.cargo(throwaway, ["-p", "tests"], told, names=("chaos::", "dead_letters::"))
    finally:
        status.down(throwaway)
