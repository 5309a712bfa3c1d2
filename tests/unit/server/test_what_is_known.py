"""What a page shows of a user's agent: the prompt, what forgetting takes along, where data goes."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph.store.memory import InMemoryStore

from personaagent.core.decision import Decided
from personaagent.core.records import RoleUsage, Rule
from personaagent.core.settings import load_settings
from personaagent.memory.spending import Spent
from personaagent.memory.user import UserMemory
from personaagent.nodes.user_meter import spending_of
from personaagent.server.app import app
from personaagent.server.budget import budget_of
from personaagent.server.dependencies import server_dependencies
from personaagent.server.destinations import destinations
from personaagent.server.store import server_store
from tests.support.memories import episode, index_in_memory, remember
from tests.support.scripted_model import Prompt, Reply, scripted_dependencies

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


def nobody_is_asked(prompt: Prompt) -> Reply:
    raise AssertionError("no model is to be asked")


@pytest.fixture
async def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UserMemory:
    """Anna's, behind our routes: a rule, and two episodes."""
    settings = load_settings(home=tmp_path)
    deps, _ = scripted_dependencies(settings, nobody_is_asked, index_in_memory())
    store = InMemoryStore()
    monkeypatch.setitem(app.dependency_overrides, server_dependencies, lambda: deps)
    monkeypatch.setitem(app.dependency_overrides, server_store, lambda: store)
    memory = deps.memory.of(store, "anna")
    await remember(
        memory,
        episode("dog", "my dog is called Rex", ground_truth="Rex"),
        episode("bread", "which bread do I like", ground_truth="Rye"),
    )
    rules = [
        Rule(id="r1", text="Answer in verse.", evidence=["dog"]),
        Rule(id="r2", text="Be brief.", evidence=["dog", "bread"]),
    ]
    await memory.personas.publish(rules, author="user", note="", parent=1)
    return memory


@pytest.fixture
async def http(memory: UserMemory) -> AsyncIterator[httpx.AsyncClient]:
    """Anna, at a development server on this machine."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost", headers={"X-User-Id": "anna"}
    ) as http:
        yield http


async def json(http: httpx.AsyncClient, method: str, path: str, **asked: Any) -> Any:
    return (await http.request(method, path, **asked)).raise_for_status().json()


async def test_the_prompt_of_a_question_is_shown_and_nothing_is_written(
    http: httpx.AsyncClient, memory: UserMemory
) -> None:
    shown = await json(http, "POST", "/me/prompt", json={"text": "what is my dog called"})
    assert "Answer in verse." in shown["system_prompt"]
    assert "my dog is called Rex" in shown["system_prompt"]
    assert (shown["persona_version"], shown["recalled"][0]) == (2, "dog")
    assert 0 < shown["tokens"] <= len(shown["system_prompt"])
    assert {each.id async for each in memory.episodes.scan()} == {"dog", "bread"}
    assert await memory.conversations.threads() == set()


async def test_without_a_question_the_prompt_holds_what_it_always_holds(
    http: httpx.AsyncClient,
) -> None:
    shown = await json(http, "POST", "/me/prompt", json={})
    assert "Answer in verse." in shown["system_prompt"]
    assert "my dog is called Rex" not in shown["system_prompt"]
    assert (shown["recalled"], shown["warnings"]) == ([], [])


@pytest.mark.parametrize(
    "asked",
    [{"text": " "}, {"text": "a\x07b"}, {"timezone": "Nowhere/Else"}, {"task": ""}],
    ids=str,
)
async def test_what_no_turn_would_take_is_refused(
    http: httpx.AsyncClient, asked: dict[str, str]
) -> None:
    told = await http.post("/me/prompt", json={"text": "a question"} | asked)
    assert told.status_code == 422
    assert told.json().keys() >= {"detail"}


async def test_forgetting_is_shown_before_it_is_done(http: httpx.AsyncClient) -> None:
    shown = await json(http, "GET", "/me/episodes/dog/forgetting")
    assert [rule["id"] for rule in shown["rules"]] == ["r1"]
    assert [rule["id"] for rule in shown["remaining_rules"]] == ["r2"]
    assert shown["episodes"] == ["dog"]
    assert (await json(http, "GET", "/me/persona"))["rules"][0]["id"] == "r1"
    assert (await http.get("/me/episodes/cat/forgetting")).status_code == 404


async def test_remembering_is_paused_and_goes_on(http: httpx.AsyncClient) -> None:
    assert await json(http, "GET", "/me/remembering") == {"paused": False}
    for paused in (True, False):
        await json(http, "PUT", "/me/remembering", json={"paused": paused})
        assert await json(http, "GET", "/me/remembering") == {"paused": paused}
    del http.headers["X-User-Id"]
    assert (await http.get("/me/remembering", headers={"X-User-Id": "ben"})).json() == {
        "paused": False
    }


async def test_on_its_own_machine_nothing_but_wikipedia_is_asked(http: httpx.AsyncClient) -> None:
    outside = [each for each in await json(http, "GET", "/me/destinations") if not each["here"]]
    assert [(each["purpose"], each["host"]) for each in outside] == [
        ("wikipedia", "en.wikipedia.org")
    ]


def test_destinations_follow_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    settings = load_settings(
        home=tmp_path,
        openai_base_url="https://models.example/v1",
        openai_api_key="k",
        model="m",
        embeddings="openai:e",
        rerank_url="http://127.0.0.1:7/rerank",
        qdrant_url="http://qdrant:6333",
        trace_content=False,
    )
    told = {each.purpose: each for each in destinations(settings, with_hosts=True)}
    assert (told["actor"].host, told["actor"].model) == ("models.example", "m")
    assert told["embeddings"].host == "models.example"
    assert (told["reranking"].here, told["reranking"].host) == (True, None)
    assert told["index"].host == "qdrant"
    assert (told["traces"].host, told["traces"].text) == ("api.smith.langchain.com", False)
    assert "webhook" not in told
    hidden = destinations(settings, with_hosts=False)
    assert {each.host for each in hidden} == {None}
    assert [each.here for each in hidden] == [each.here for each in told.values()]


async def test_memories_are_filtered_by_source_and_time(
    http: httpx.AsyncClient, memory: UserMemory
) -> None:
    days = [episode(f"d{n}", f"day {n}", day=n, source="notes") for n in (1, 2, 3)]
    await remember(memory, *days)
    since, until = "2026-01-02T00:00:00Z", "2026-01-04T01:00:00+01:00"
    within = {"source": "notes", "since": since, "until": until, "limit": 1}
    first = await json(http, "GET", "/me/episodes", params=within)
    second = await json(http, "GET", "/me/episodes", params=within | {"cursor": first["next"]})
    assert [each["id"] for each in first["items"] + second["items"]] == ["d2", "d1"]
    assert second["next"] is None
    assert (await json(http, "GET", "/me/episodes", params={"source": "mcp"}))["items"] == []


async def test_the_budget_says_what_is_spent_and_what_the_day_allows(
    memory: UserMemory, tmp_path: Path
) -> None:
    limited = load_settings(home=tmp_path, align_daily_calls=9, daily_tokens=1000)
    await memory.spending.book("run", Spent(calls=3, tokens=40))
    await spending_of(memory, "turns").add("together", Spent(tokens=7))
    budget = await budget_of(memory, limited)
    assert (budget.alignment.spent.calls, budget.alignment.most) == (3, {"calls": 9})
    assert (budget.turns.spent.tokens, budget.turns.most) == (7, {"tokens": 1000})
    assert (budget.imports.spent, budget.imports.most) == (Spent(), {})
    assert budget.requests_per_minute is None
    assert budget.resets_at > memory.spending.clock()


async def test_what_calls_have_cost_is_told_by_day_and_purpose(
    memory: UserMemory, http: httpx.AsyncClient
) -> None:
    assert (await http.get("/me/costs")).json() == {"days": [], "total": {}, "currency": None}
    memory.costs.note("answers", RoleUsage(llm_calls=1, input_tokens=80, output_tokens=5))
    told = (await http.get("/me/costs", params={"days": 1})).json()
    cost = {"calls": 1, "input_tokens": 80, "output_tokens": 5, "price": None}
    assert told["total"] == told["days"][0]["by_purpose"] == {"answers": cost}
    assert (await http.get("/me/costs", params={"days": 0})).status_code == 422


async def test_how_sure_decisions_were_is_told_beside_how_often_they_were_right(
    memory: UserMemory, http: httpx.AsyncClient
) -> None:
    assert (await http.get("/me/scorecard/calibration")).json()["questions"] == 0
    decided = Decided(answer="Rye", probability=0.7).stored()
    judged = [
        episode(
            f"d{n}", "Rye or spelt?", response="Rye", signal=signal, metadata={"decision": decided}
        )
        for n, signal in enumerate(["accept", "reject", None])
    ]
    await remember(memory, *judged)
    told = (await http.get("/me/scorecard/calibration")).json()
    assert (told["questions"], told["stated"], told["right"]["mean"]) == (2, 0.7, 0.5)
    assert told["verdict"] == "unknown"
