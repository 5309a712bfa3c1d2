"""The routes for what the page shows of memory: what is relevant, what was forgotten, filters, imports."""

import asyncio
from typing import Any

import httpx
import pytest

from personaagent.memory.exchange import import_status
from personaagent.memory.forget import forget
from personaagent.memory.user import UserMemory
from personaagent.nodes.dependencies import Dependencies
from personaagent.server.app import app
from personaagent.server.store import server_store
from tests.support.embedder import BagEmbedder
from tests.support.memories import episode, remember
from tests.unit.memory.test_forget import Threads

DINNER = "What should I cook for dinner?"
SECONDS = 20


@pytest.fixture
async def memory(deps: Dependencies) -> UserMemory:
    memory = deps.memory.of(app.dependency_overrides[server_store](), "anna")
    await remember(
        memory,
        episode("chess", "I should win at chess after dinner.", ground_truth="Yes.", task="games"),
        episode("rye", "I cook rye for dinner.", 1, source="notes"),
    )
    return memory


async def ids_found(http: httpx.AsyncClient, **filters: Any) -> list[str]:
    answer = await http.post("/me/episodes/search", json={"text": DINNER, "top_k": 20, **filters})
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()]


async def test_what_is_not_relevant_to_a_question_is_not_recalled_for_it_until_undone(
    http: httpx.AsyncClient, memory: UserMemory
) -> None:
    assert set(await ids_found(http)) == {"chess", "rye"}
    marked = await http.put("/me/episodes/chess/relevance", json={"question": DINNER})
    assert marked.json()["irrelevant_to"] == [DINNER]
    assert await ids_found(http) == ["rye"]
    again = await http.put(
        "/me/episodes/chess/relevance", json={"question": DINNER, "relevant": True}
    )
    assert again.json()["irrelevant_to"] == []
    assert set(await ids_found(http)) == {"chess", "rye"}
    await http.put("/me/episodes/chess/relevance", json={"question": DINNER})
    change = (await http.get("/me/undo")).json()
    assert change["kind"] == "relevance"
    assert (await http.post("/me/undo", json={"key": "another"})).status_code == 409
    assert set(await ids_found(http)) == {"rye"}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("nobody", {"question": DINNER}, 404),
        ("chess", {"question": ""}, 422),
        ("chess", {"question": " \n "}, 422),
        ("chess", {"question": "x" * 40_000}, 422),
        ("chess", {"relevant": False}, 422),
    ],
)
async def test_what_cannot_be_marked_is_refused(
    path: str, body: Any, status: int, http: httpx.AsyncClient, memory: UserMemory
) -> None:
    answer = await http.put(f"/me/episodes/{path}/relevance", json=body)
    assert (answer.status_code, answer.json().keys()) == (status, {"detail"})


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({"task": "games"}, ["chess"]),
        ({"source": "notes"}, ["rye"]),
        ({"labelled": True}, ["chess"]),
        ({"since": "2026-01-02T00:00:00Z"}, ["rye"]),
        ({"until": "2026-01-02T00:00:00Z"}, ["chess"]),
        ({"task": "games", "source": "notes"}, []),
    ],
)
async def test_a_search_is_filtered(
    filters: Any, ids: list[str], http: httpx.AsyncClient, memory: UserMemory
) -> None:
    assert await ids_found(http, **filters) == ids


async def test_a_filter_finds_what_is_far_down_in_the_search(
    http: httpx.AsyncClient, memory: UserMemory
) -> None:
    assert await ids_found(http, top_k=1) == ["rye"]
    assert await ids_found(http, top_k=1, task="games") == ["chess"]


async def test_what_was_forgotten_is_listed_in_pages(
    http: httpx.AsyncClient, memory: UserMemory
) -> None:
    for id in ("chess", "rye"):
        await forget(memory, [id], Threads().delete)
    first = (await http.get("/me/forgettings?limit=1")).json()
    last = (await http.get("/me/forgettings", params={"cursor": first["next"]})).json()
    assert [each["episodes"] for each in (*first["items"], *last["items"])] == [1, 1]
    assert first["items"][0]["at"] > last["items"][0]["at"]
    assert (last["next"], last["unlisted"]) == (None, 0)
    assert "chess" not in str((first, last))


async def test_an_import_is_shown_and_cancelled_meanwhile(
    http: httpx.AsyncClient, memory: UserMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_status, "EVERY", 0.01)
    gate, embed = asyncio.Event(), BagEmbedder.embed

    async def after_gate(self: BagEmbedder, texts: Any) -> list[list[float]]:
        await gate.wait()
        return await embed(self, texts)

    monkeypatch.setattr(BagEmbedder, "embed", after_gate)
    lines = "\n".join(f'{{"id": "e{n}", "query": "Q {n}?", "response": "A"}}' for n in range(1200))
    task = asyncio.create_task(http.post("/me/import", content=lines))

    async def shown(since: str = "") -> dict[str, Any]:
        async with asyncio.timeout(SECONDS):
            while True:
                for each in (await http.get("/me/import")).json():
                    if each["step"] == "importing" and each["at"] > since:
                        return dict(each)
                await asyncio.sleep(0.01)

    status = await shown()
    assert (status["done"], status["total"]) in {(0, None), (0, 1200)}
    [asked] = (await http.delete("/me/import")).json()
    assert asked["key"] == status["key"]
    await shown(since=(await shown(since=status["at"]))["at"])
    gate.set()
    imported = (await task).json()
    assert imported["cancelled"]
    assert 0 < imported["added"] < 1200
    assert (await http.get("/me/import")).json() == []
    assert len(await memory.episodes.ids()) == 2 + imported["added"]


async def test_nothing_is_shown_or_cancelled_where_nothing_is_under_way(
    http: httpx.AsyncClient,
) -> None:
    assert (await http.get("/me/import")).json() == []
    assert (await http.delete("/me/import")).json() == []
