"""Every route of ours, asked by a stranger and by nobody for the things of somebody else."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.support.server import Server

OWNER = "an heir"
OTHER_SECRET = "another secret, as long as the true one"
SECRET = "the heron nests by the mill"


@dataclass(frozen=True)
class Ask:
    """One request for the owner's things, and what a stranger is told: 404, or what they have
    themselves."""

    method: str
    path: str
    json: Any = None
    content: bytes | None = None
    told: int = 200
    query: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


ASKS = [
    Ask("GET", "/me/persona"),
    Ask("GET", "/me/persona/versions"),
    Ask("GET", "/me/persona/versions/{version}", told=404),
    Ask("GET", "/me/persona/diff", query="?before=1&after=2", told=404),
    Ask("POST", "/me/persona/edits", {"add": ["Be brief."], "version": 2}, told=404),
    Ask("POST", "/me/persona/rollback", {"version": 2}, told=404),
    Ask("PUT", "/me/persona/rules/{rule}/lock", told=404),
    Ask("DELETE", "/me/persona/rules/{rule}/lock", told=404),
    Ask("GET", "/me/profile"),
    Ask("POST", "/me/profile/refresh"),
    Ask("POST", "/me/profile/statements", {"texts": ["I row."]}),
    Ask("PUT", "/me/profile/statements/{statement}", {"text": "I row."}, told=404),
    Ask("DELETE", "/me/profile/statements/{statement}", told=404),
    Ask("PUT", "/me/profile/statements/{statement}/lock", told=404),
    Ask("DELETE", "/me/profile/statements/{statement}/lock", told=404),
    Ask("GET", "/me/profile/history"),
    Ask("POST", "/me/profile/history/{change}/undo", told=404),
    Ask("GET", "/me/undo"),
    Ask("POST", "/me/undo", told=422),
    Ask("GET", "/me/episodes"),
    Ask("POST", "/me/episodes/search", {"text": SECRET}),
    Ask("GET", "/me/episodes/{episode}", told=404),
    Ask("PUT", "/me/episodes/{episode}/feedback", {"signal": "reject"}, told=404),
    Ask("PUT", "/me/episodes/{episode}/relevance", {"question": "Mine?"}, told=404),
    Ask("PUT", "/me/episodes/{episode}/superseded", {"by": None}, told=404),
    Ask("PUT", "/me/episodes/{episode}/kept", told=404),
    Ask("DELETE", "/me/episodes/{episode}", told=404),
    Ask("GET", "/me/episodes/{episode}/forgetting", told=404),
    Ask("GET", "/me/forgettings"),
    Ask("POST", "/me/prompt", {"text": "Where does the heron nest?"}),
    Ask("GET", "/me/remembering"),
    Ask("PUT", "/me/remembering", {"paused": False}),
    Ask("GET", "/me/destinations"),
    Ask("GET", "/me/budget"),
    Ask("GET", "/me/costs"),
    Ask("GET", "/me/threads", query="?search=heron"),
    Ask("POST", "/me/import", content=b'{"id": "own", "query": "Mine?", "response": "Yes."}'),
    Ask("GET", "/me/import"),
    Ask("DELETE", "/me/import"),
    Ask("GET", "/me/export"),
    Ask("GET", "/me/backup"),
    Ask("POST", "/me/restore", content=b"no archive", told=422),
    Ask("POST", "/me/alignments", {"dry_run": True}, told=202),
    Ask("GET", "/me/alignments"),
    Ask("GET", "/me/alignments/{run}", told=404),
    Ask("POST", "/me/alignments/decision", {"decision": "approve"}, told=409),
    Ask("POST", "/me/scorecard", told=409),
    Ask("GET", "/me/scorecard/calibration"),
    Ask("DELETE", "/me"),
    Ask("POST", "/me/tokens/revoke", {"which": "this"}),
]


@pytest.fixture(scope="module")
def owned(token_server: Server) -> dict[str, str]:
    """What the owner has, by the names in the paths."""
    with httpx.Client(
        base_url=token_server.url, headers=token_server.headers(OWNER), timeout=60
    ) as http:
        http.delete("/me").raise_for_status()
        line = f'{{"id": "told", "query": "{SECRET}", "response": "Yes.", "signal": "accept"}}'
        http.post("/me/import", content=line).raise_for_status()
        edited = http.post("/me/persona/edits", json={"add": [f"Remember: {SECRET}."]})
        run = http.post("/me/alignments", json={"dry_run": True})
        statements = http.post(
            "/me/profile/statements", json={"texts": ["I read.", "I cook.", SECRET]}
        )
        for number in range(2, 10):  # a number that no stranger has
            text = {"text": f"{SECRET}, {number}"}
            http.put("/me/profile/statements/s3", json=text).raise_for_status()
        changes = http.get("/me/profile/history").json()
        return {
            "statement": statements.json()[-1]["id"],
            "change": str(max(each["number"] for each in changes["items"])),
            "episode": "told",
            "version": "2",
            "rule": edited.json()["rules"][-1]["id"],
            "run": run.json()["id"],
        }


async def everything(server: Server) -> tuple[str, str, str]:
    """All of the owner's that a stranger might change."""
    async with server.http(OWNER) as http:
        return (
            (await http.get("/me/export")).text,
            (await http.get("/me/persona/versions")).text,
            (await http.get("/me/profile")).text,
        )


def test_no_route_is_left_out(token_server: Server) -> None:
    paths = httpx.get(f"{token_server.url}/openapi.json").json()["paths"]
    ours = {
        (m.upper(), path) for path in paths if f"{path}/".startswith("/me/") for m in paths[path]
    }
    assert ours == {(ask.method, ask.path) for ask in ASKS}


@pytest.mark.parametrize("ask", ASKS, ids=str)
async def test_it_is_the_callers_own_or_not_there(
    ask: Ask, token_server: Server, owned: dict[str, str]
) -> None:
    before = await everything(token_server)
    assert SECRET in before[0]
    assert SECRET in before[1]
    path = ask.path.format(**owned) + ask.query
    async with token_server.http("a passer-by") as http:
        claims = {"X-User-Id": OWNER, "X-Forwarded-User": OWNER}
        told = await http.request(
            ask.method, path, json=ask.json, content=ask.content, headers=claims
        )
        assert told.status_code == ask.told, told.text
        assert SECRET not in told.text
        more = f"{path}{'&' if ask.query else '?'}user_id=an%20heir"
        claimed = await http.request(ask.method, more, json=ask.json, content=ask.content)
        assert SECRET not in claimed.text
    for nobody in (
        {},
        {"X-User-Id": OWNER},
        {"Authorization": f"Bearer {OWNER}"},
        {"Authorization": f"Bearer {token_server.token(OWNER, hours=-1)}"},
        {"Authorization": f"Bearer {token_server.token(OWNER, auth_secret=OTHER_SECRET)}"},
    ):
        async with token_server.http(None, nobody) as http:
            refused = await http.request(ask.method, path, json=ask.json, content=ask.content)
            assert refused.status_code == 401, refused.text
            assert refused.json().keys() == {"detail"}
    assert await everything(token_server) == before


async def test_the_owner_gets_what_a_stranger_does_not(
    token_server: Server, owned: dict[str, str]
) -> None:
    async with token_server.http(OWNER) as http:
        for ask in (ask for ask in ASKS if ask.method == "GET"):
            told = await http.get(ask.path.format(**owned) + ask.query)
            assert told.status_code == 200, told.text
