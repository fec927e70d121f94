"""The OpenAPI documents as the functions serve them (API-07), and whether they keep to the standard.

What Heddle asks of them beyond it (examples that their own schemas take, words for every parameter, documented refusals) is tested with
each function, by `check_openapi` in shared/http/src/testing/openapi.rs.
"""

import json
import subprocess
from pathlib import Path

from .api import NO_PROXY
from .config import Config, Problem, say

AREAS = ("auth", "teams", "services", "secrets", "experts", "workflows", "runs")
LINTER = Path(__file__).with_name("openapi_lint.py")


def document(base: str, area: str) -> dict:
    """What a function says of itself."""
    with NO_PROXY.open(f"{base}/api/v1/{area}/openapi.json", timeout=30) as answer:
        return json.loads(answer.read())


def lint(config: Config, base: str) -> None:
    """Every function's document, by a linter that others wrote; all mistakes at once."""
    documents = {area: document(base, area) for area in AREAS}
    done = subprocess.run([str(config.python), str(LINTER)], input=json.dumps(documents), capture_output=True, text=True)
    if done.returncode != 0:
        raise Problem(f"The OpenAPI documents break rules:\n{done.stdout}{done.stderr}")
    say(f"OpenAPI: the documents of {', '.join(AREAS)} are valid")
