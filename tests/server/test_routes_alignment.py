"""Alignments and the scorecard by our routes, on the development server."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import httpx
import pytest
from tenacity import AsyncRetrying, retry_if_result, stop_after_delay, wait_fixed

from tests.support.alignment import PREFERENCES, walks
from tests.support.server import Server

RULE = next(iter(PREFERENCES))
USERS = count()


@asynccontextmanager
async def walker(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody new, who wants walks told by a rule that their persona lacks."""
    wanted = [each.stored() for each in walks(5, [RULE])]
    async with server.http(f"walker-{next(USERS)}") as http:
        lines = [{k: v for k, v in each.items() if k != "user_id"} for each in wanted]
        content = "\n".join(map(json.dumps, lines))
        (await http.post("/me/import", content=content)).raise_for_status()
        yield http


@pytest.fixture
async def http(token_server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with walker(token_server) as http:
        yield http


async def ended(http: httpx.AsyncClient, run: str) -> dict[str, Any]:
    """The run when it has ended, or waits for the user."""

    async def look() -> dict[str, Any]:
        told = await http.get(f"/me/alignments/{run}")
        assert told.status_code == 200, told.text
        return dict(told.json())

    going_on = retry_if_result(lambda told: told["status"] in ("pending", "running"))
    return await AsyncRetrying(retry=going_on, stop=stop_after_delay(60), wait=wait_fixed(0.2))(
        look
    )


async def test_an_alignment_is_started_watched_and_published(http: httpx.AsyncClient) -> None:
    begun = await http.post("/me/alignments", json={})
    assert (begun.status_code, begun.json()["status"]) in [(202, "pending"), (202, "running")]
    second = await http.post("/me/alignments", json={})
    assert (second.status_code, second.json()["id"]) == (202, begun.json()["id"])
    done = await ended(http, begun.json()["id"])
    assert (done["status"], done["problem"], done["proposal"]) == ("success", None, None)
    assert (done["result"]["from_version"], done["result"]["to_version"]) == (1, 2)
    assert (done["progress"]["episodes"], done["progress"]["simulated"]) == (5, 5)
    assert done["progress"]["loss"] == 0
    assert RULE in [each["text"] for each in (await http.get("/me/persona")).json()["rules"]]

    nothing_left = await http.post("/me/alignments", json={"dry_run": True})
    again = await ended(http, nothing_left.json()["id"])
    assert (again["result"]["to_version"], again["result"]["stopped_by"]) == (2, "no loss")
    earlier = (await http.get(f"/me/alignments/{begun.json()['id']}")).json()
    assert earlier["result"] == done["result"]

    page = (await http.get("/me/alignments", params={"limit": 1})).json()
    assert [each["id"] for each in page["items"]] == [nothing_left.json()["id"]]
    rest = (await http.get("/me/alignments", params={"cursor": page["next"]})).json()
    assert ([each["id"] for each in rest["items"]], rest["next"]) == ([begun.json()["id"]], None)


@pytest.mark.parametrize(
    ("decision", "rules", "version"),
    [
        ({"decision": "refuse"}, None, 1),
        ({"decision": "approve"}, [RULE], 2),
        (
            {"decision": "edit", "rules": [{"text": "Say how far it is."}]},
            ["Say how far it is."],
            2,
        ),
    ],
)
async def test_the_user_answers_a_proposal(
    decision: dict[str, Any], rules: list[str] | None, version: int, http: httpx.AsyncClient
) -> None:
    before = (await http.get("/me/persona")).json()["rules"]
    begun = await http.post("/me/alignments", json={"approve": True})
    waits = await ended(http, begun.json()["id"])
    assert waits["status"] in ("success", "interrupted")
    assert waits["result"] is None
    assert [each["after"] for each in waits["proposal"]["changes"]] == [RULE]
    assert waits["proposal"]["changes"][0]["evidence"][0]["query"].startswith("Tell me about")
    goes_on = await http.post("/me/alignments/decision", json=decision)
    assert goes_on.status_code == 202
    done = await ended(http, goes_on.json()["id"])
    assert (done["status"], done["result"]["to_version"]) == ("success", version)
    now = [each["text"] for each in (await http.get("/me/persona")).json()["rules"]]
    known = [each["text"] for each in before]
    assert now == known if rules is None else now[-1:] == rules
    assert (await http.get(f"/me/alignments/{begun.json()['id']}")).json()["proposal"] is None
    twice = await http.post("/me/alignments/decision", json=decision)
    assert (twice.status_code, "No proposal is waiting" in twice.json()["detail"]) == (409, True)


async def test_runs_that_are_not_there_and_wishes_that_are_none(http: httpx.AsyncClient) -> None:
    unknown = await http.get("/me/alignments/6f1f8a0e-6e0e-4f7c-9d83-3d1d9f5f2f10")
    assert unknown.status_code == 404
    assert (await http.get("/me/alignments/no-uuid")).status_code == 422
    for wish in ({"user_id": "anna"}, {"rounds": 1000}, {"query": "x" * 2000}):
        assert (await http.post("/me/alignments", json=wish)).status_code == 422
    assert (await http.get("/me/alignments")).json() == {"items": [], "next": None}


async def test_forget_me_during_an_alignment_leaves_neither_run_nor_persona(
    http: httpx.AsyncClient, token_server: Server
) -> None:
    begun = await http.post("/me/alignments", json={})
    receipt = await http.delete("/me")
    assert (receipt.status_code, len(receipt.json()["episodes"])) == (200, 5)
    assert (await http.get(f"/me/alignments/{begun.json()['id']}")).status_code == 404
    async with walker(token_server) as later:
        whole = await ended(later, (await later.post("/me/alignments", json={})).json()["id"])
        assert whole["result"]["to_version"] == 2, "as would have been what began before"
    assert (await http.get("/me/persona")).json()["version"] == 1
    assert (await http.get("/me/export")).content == b""
    assert (await http.delete("/me")).json()["simulations"] == 0


async def test_a_scorecard_tells_how_far_it_is_and_what_persona_and_memory_are_worth(
    http: httpx.AsyncClient,
) -> None:
    both = [http.post("/me/scorecard", params={"limit": 4}) for _ in range(2)]
    one, other = sorted(await asyncio.gather(*both), key=lambda told: told.status_code)
    assert (one.status_code, other.status_code) == (200, 409)
    *steps, last = map(json.loads, one.text.splitlines())
    assert steps == [{"done": n, "of": 4} for n in (1, 2, 3, 4)]
    assert len(last["scorecard"]["episodes"]) == 4
    assert set(last["scorecard"]["means"]) == {"none", "rag", "initial", "then"}
    again = await http.post("/me/scorecard", params={"limit": 4})
    assert json.loads(again.text.splitlines()[-1])["scorecard"]["usage"]["llm_calls"] == 0


async def test_a_scorecard_of_nothing_is_refused(token_server: Server) -> None:
    async with token_server.http(f"walker-{next(USERS)}") as http:
        refused = await http.post("/me/scorecard")
    assert (refused.status_code, "says what they wanted" in refused.json()["detail"]) == (409, True)
