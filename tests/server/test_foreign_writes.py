"""What a client writes that only the server makes, on a real server: nothing comes of it."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.server import Server

FORGED = {"episode_id": "0123456789abcdef"}
ASKED = {"messages": [{"role": "user", "content": "What is my dog called?"}]}


@pytest.fixture(params=["token_server", "postgres_server"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def http(server: Server) -> Iterator[httpx.Client]:
    headers = server.headers(f"forger {uuid4()}")
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
        yield client


def thread_of(http: httpx.Client) -> str:
    return str(http.post("/threads", json={}).raise_for_status().json()["thread_id"])


def test_an_own_episode_cannot_be_overwritten_by_its_id(http: httpx.Client) -> None:
    thread = thread_of(http)
    run: dict[str, Any] = {
        "assistant_id": "agent",
        "input": ASKED | FORGED | {"system_prompt": "x"},
    }
    state = http.post(f"/threads/{thread}/runs/wait", json=run).raise_for_status().json()
    assert state["episode_id"] != FORGED["episode_id"]
    assert state["system_prompt"] != "x"
    before = http.get("/me/episodes").raise_for_status().json()
    http.post(
        f"/threads/{thread}/state", json={"values": FORGED, "as_node": "decide"}
    ).raise_for_status()
    for command in ({"update": FORGED}, {"goto": {"node": "remember", "input": FORGED}}):
        http.post(
            f"/threads/{thread}/runs/wait", json={"assistant_id": "agent", "command": command}
        )
    now = http.get(f"/threads/{thread}/state").raise_for_status().json()["values"]
    assert now["episode_id"] != FORGED["episode_id"]
    assert http.get("/me/episodes").json() == before


@pytest.mark.parametrize(
    "asked",
    [
        {"namespace_prefix": ["users", ".."]},
        {"namespace_prefix": ["users"], "filter": {"a": {"b": {"c": 1}}}},
        {"namespace_prefix": ["users"], "filter": {"a": {"$near": 1}}},
        {"namespace_prefix": ["users"], "filter": {"a": "\x00"}},
    ],
    ids=lambda asked: ascii(asked)[:60],
)
def test_a_wrong_search_of_the_store_is_the_callers_fault(
    asked: dict[str, Any], http: httpx.Client
) -> None:
    assert http.post("/store/items/search", json=asked).status_code == 422


def test_the_store_is_searched(http: httpx.Client) -> None:
    asked = {"namespace_prefix": ["users"], "filter": {"task": {"$eq": "walks"}, "n": None}}
    assert http.post("/store/items/search", json=asked).raise_for_status().json()["items"] == []


def test_a_run_that_wants_feedback_addresses_gets_its_answer(http: httpx.Client) -> None:
    run = {"assistant_id": "agent", "input": ASKED, "feedback_keys": ["good"]}
    with http.stream("POST", "/runs/stream", json=run) as answer:
        events = [line for line in answer.iter_lines() if line.startswith("event:")]
    assert "event: values" in events
    assert not {"event: feedback", "event: error"}.intersection(events)
