"""A small client of Heddle's own HTTP API, through the emulated API Gateway."""

import json
import urllib.error
import urllib.request

from .config import Problem

NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Client:
    """Calls under a base URL with an API key, or with the headers of somebody else."""

    def __init__(self, base: str, key: str = "", headers: "dict | None" = None):
        self.base = base.rstrip("/")
        self.credential = {"X-API-Key": key} if headers is None else headers

    def call(self, method: str, path: str, body: "dict | None" = None, prefer: "str | None" = None, may_fail: tuple = ()) -> "tuple[int, dict]":
        """Status and JSON. A status of 400 and above is a problem unless `may_fail` names it."""
        headers = {**self.credential, "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if prefer:
            headers["Prefer"] = prefer
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, headers=headers, method=method)
        try:
            with NO_PROXY.open(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            if error.code in may_fail:
                return error.code, {}
            raise Problem(f"{method} {path} answered {error.code}: {text[:2000]}") from error
        except OSError as error:
            raise Problem(f"{method} {path}: no answer from {self.base}: {error}") from error


def base_url(endpoint: str, api_id: str) -> str:
    """An API of the emulator by path. Its host name under `localhost` works as well, but not every resolver knows such names."""
    return f"{endpoint}/_aws/execute-api/{api_id}/$default"
