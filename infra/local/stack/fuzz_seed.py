"""What is there before `make fuzz-api` begins: enough of everything that requests get past 404, made through the API itself."""

from .api import Client
from .fuzz_world import OWNER, PASSWORD, World

SPARES = 12
"""Of what requests may delete."""

INPUTS = {"type": "object", "properties": {"amount": {"type": "number"}}, "required": ["amount"], "additionalProperties": False}
DOUBLES = {
    "nodes": [
        {"key": "double", "node_type": "map", "metadata": {"mapping": {"twice": "{{ input.amount * 2 }}"}}},
        {"key": "done", "node_type": "return", "metadata": {"output": "{{ input.twice }}"}},
    ],
    "edges": [{"from": "double", "to": "done"}],
}
FAILS = {"nodes": [{"key": "double", "node_type": "advanced", "metadata": {"program": "$error('no')"}}], "edges": []}
ASKS = {
    "nodes": [
        {"key": "ask", "node_type": "approval", "metadata": {"title": "Spend {{ input.amount }}?", "quorum": 2}},
        {"key": "yes", "node_type": "return", "metadata": {"output": "spent"}},
        {"key": "no", "node_type": "return", "metadata": {"output": "kept"}},
    ],
    "edges": [{"from": "ask", "to": "yes", "label": "approved"}, {"from": "ask", "to": "no", "label": "rejected"}],
}


def sow(world: World) -> None:
    """Fills the world's dictionaries; needs a seeded demo team, whose owner signs in."""
    signed_in = world.choose_password()
    headers = {"Authorization": f"Bearer {signed_in['access_token']}", "X-Team-Id": world.team}
    owner = Client(world.base, headers=headers)
    known = {"team": [world.team], "node": ["ask", "double", "done"], "password": [PASSWORD, "not the password"]}
    known |= _people(world, owner, signed_in["user"]["id"])
    known |= _services(owner)
    known |= _workflows(owner)
    known["expert_id"], known["spare_expert"] = _experts(owner, 3), _experts(owner, SPARES)
    known["secret"], known["spare_secret"] = _secrets(owner, "kept", 3), _secrets(owner, "spare", SPARES)
    world.known = known
    lasting = ("team", "service_id", "segment_id", "service_user_id", "expert_id", "workflow_id", "secret")
    world.bodies = _bodies(known)
    world.kept = [signed_in["user"]["id"], *(id for name in lasting for id in known[name])]


def _people(world: World, owner: Client, owner_id: str) -> dict:
    team = world.team
    members = owner.call("GET", f"/api/v1/teams/{team}/members")[1]["items"]
    invite = lambda i: owner.call("POST", f"/api/v1/teams/{team}/invite", {"email": f"guest{i}@demo.example", "role": "viewer"})[1]["id"]
    spare = lambda i: owner.call("POST", "/api/v1/teams", {"name": f"Spare {i}"})[1]["id"]
    signed_in = [world.sign_in() for _ in range(4)]
    return {
        "member_id": [owner_id, *(member["member_id"] for member in members if member["member_id"] != owner_id)],
        "invitation_id": [invite(i) for i in range(SPARES)],
        "spare_team": [spare(i) for i in range(SPARES)],
        "session_id": [session["id"] for session in owner.call("GET", "/api/v1/auth/sessions")[1]["items"]],
        "refresh_token": [one["refresh_token"] for one in signed_in],
        "email": [OWNER, "viewer@demo.example", "nobody@demo.example"],
    }


def _services(owner: Client) -> dict:
    service = lambda name: owner.call("POST", "/api/v1/services", {"name": name, "environment": "dev"})[1]["id"]
    shop, spare = service("Shop"), [service(f"Spare {i}") for i in range(SPARES)]
    segment = lambda i: owner.call("POST", f"/api/v1/services/{shop}/segments", {"name": f"segment {i}"})[1]["id"]
    user = lambda i: {"service_id": shop, "version": 1, "properties": {"user_id": str(i)}}
    return {
        "service_id": [shop],
        "segment_id": [segment(i) for i in range(3)],
        "service_user_id": [owner.call("POST", "/api/v1/services/resolve", user(i))[1]["id"] for i in range(3)],
        "spare_service": spare,
    }


def _experts(owner: Client, count: int) -> list:
    expert = {"model_name": "gpt-4o-mini", "prompt": "Answer in {{ input.language }}."}
    return [owner.call("POST", "/api/v1/experts", {"name": f"Clerk {i}", **expert})[1]["id"] for i in range(count)]


def _secrets(owner: Client, kind: str, count: int) -> list:
    names = [f"{kind}_{i}" for i in range(count)]
    for name in names:
        owner.call("PUT", f"/api/v1/secrets/{name}", {"value": "a secret value"})
    return names


def _workflows(owner: Client) -> dict:
    """Two that end by themselves, one that waits for people, one that was never published; and runs of the first three."""
    doubles, fails, asks = (_published(owner, name, graph) for name, graph in (("Doubles", DOUBLES), ("Fails", FAILS), ("Asks", ASKS)))
    draft, *spares = (owner.call("POST", "/api/v1/workflows", {"name": "Draft", "tags": ["fuzz"]})[1]["id"] for _ in range(1 + SPARES))
    starts = [doubles, doubles, doubles, fails, asks, asks, asks]
    versions = owner.call("GET", f"/api/v1/workflows/{doubles}/versions")[1]["items"]
    return {
        "workflow_id": [doubles, asks, draft],
        "spare_workflow": spares,
        "node_id": _parts(owner, doubles, "nodes"),
        "edge_id": _parts(owner, doubles, "edges"),
        "version_id": [version["id"] for version in versions],
        "run_id": [_run(owner, workflow) for workflow in starts],
    }


def _published(owner: Client, name: str, graph: dict) -> str:
    workflow = owner.call("POST", "/api/v1/workflows", {"name": name, "input_params": INPUTS, "is_api": True})[1]["id"]
    owner.call("PUT", f"/api/v1/workflows/{workflow}/graph", graph)
    for note in ("The first.", "The second."):
        owner.call("POST", f"/api/v1/workflows/{workflow}/publish", {"note": note})
    return workflow


def _parts(owner: Client, workflow: str, which: str) -> list:
    return [part["id"] for part in owner.call("GET", f"/api/v1/workflows/{workflow}/{which}")[1]["items"]]


def _run(owner: Client, workflow: str) -> str:
    started = owner.call("POST", "/api/v1/runs", {"workflow_id": workflow, "inputs": {"amount": 7}}, prefer="wait=1")[1]
    return started.get("run_id") or started["id"]


def _bodies(known: dict) -> dict:
    """What chance would not come up with."""
    doubles, asks, _ = known["workflow_id"]
    graphs, inputs = [DOUBLES, FAILS, ASKS], {"amount": 7}
    drafts = [{}, {"inputs": inputs}, *({"graph": graph} for graph in graphs)]
    return {
        "PUT /api/v1/workflows/{workflow_id}/graph": graphs,
        "POST /api/v1/workflows/validate": [{"graph": graph, "input_params": INPUTS} for graph in graphs],
        "POST /api/v1/workflows/{workflow_id}/validate": [{}, *({"graph": graph} for graph in graphs)],
        "POST /api/v1/workflows/{workflow_id}/plan": drafts,
        "POST /api/v1/workflows/{workflow_id}/publish": [{}],
        "PATCH /api/v1/workflows/{workflow_id}/status": [{"status": "archived"}, {"status": "published"}, {"status": "published"}],
        "POST /api/v1/workflows/{workflow_id}/nodes": [{**node, "key": f"{node['key']}_{i}"} for graph in graphs for i, node in enumerate(graph["nodes"])],
        "POST /api/v1/workflows/{workflow_id}/edges": [{"from": "double", "to": "done"}, {"from": "ask", "to": "yes", "label": "approved"}],
        "POST /api/v1/workflows/import": [{"format": "heddle.workflow", "version": 1, "workflow": {"name": "Copy"}, "graph": graph} for graph in graphs],
        "POST /api/v1/runs": [{"workflow_id": doubles, "inputs": inputs}, {"workflow_id": asks, "inputs": inputs, "priority": "low"}],
        "POST /api/v1/runs/{run_id}/retry": [{"from": "failed"}, {"from": "start", "inputs": inputs}, {"from": {"node": "double"}}],
        "POST /api/v1/runs/{run_id}/approvals/{node}": [{"decision": "approved"}, {"decision": "rejected"}],
        "POST /api/v1/runs/{run_id}/replay": [{}, {"outputs": {"double": {"twice": 1}}}],
    }
