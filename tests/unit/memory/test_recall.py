"""Recall: which episodes, in which order, and what a failing index costs."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from langgraph.store.memory import InMemoryStore

from personaagent.core.errors import IndexUnavailable
from personaagent.core.settings import RecallMode
from personaagent.memory.hiding import Hidden
from personaagent.memory.user import UserMemory
from tests.support.memories import episode, index_in_memory, memory_of, remember
from tests.support.rerank_endpoint import rerank_endpoint

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


async def recalled(memory: UserMemory, query: str, k: int = 5) -> list[str]:
    result = await memory.recall(query, k)
    assert result.warnings == []
    return [each.id for each in result.episodes]


@pytest.mark.parametrize("mode", ["hybrid", "dense", "bm25"])
async def test_each_mode_finds_the_episode(tmp_path: Path, mode: RecallMode) -> None:
    anna = memory_of("anna", tmp_path, recall_mode=mode)
    await remember(
        anna, episode("e1", "walk the dog"), episode("e2", "rye bread"), episode("e3", "motor oil")
    )
    assert (await recalled(anna, "bread of rye", 1)) == ["e2"]
    assert len(await recalled(anna, "rye bread", 3)) == (1 if mode == "bm25" else 3)


async def test_a_mode_uses_only_its_own_ranking(tmp_path: Path) -> None:
    # As a bag, the query is nearer to what repeats its common word; BM25 holds to the rare one.
    index, store = index_in_memory(), InMemoryStore()
    texts = {"e1": "the fern garden", "e2": "the morning walk", "e3": "the the the morning"}
    dense, bm25 = (
        memory_of("anna", tmp_path, store=store, index=index, recall_mode=mode)
        for mode in ("dense", "bm25")
    )
    await remember(dense, *[episode(key, text, int(key[1])) for key, text in texts.items()])
    assert (await recalled(dense, "the the fern", 1)) == ["e3"]
    assert (await recalled(bm25, "the the fern", 1)) == ["e1"]


async def test_nothing_is_recalled_for_k_0_or_a_new_user(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    assert await recalled(anna, "bread") == []
    await remember(anna, episode("e1", "bread"))
    assert await recalled(anna, "bread", 0) == []
    assert await recalled(anna, "bread", 1) == ["e1"]
    assert await recalled(anna, "bread", 100) == ["e1"]


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
async def test_near_duplicates_collapse_to_the_newer(
    tmp_path: Path, order: tuple[int, int]
) -> None:
    anna = memory_of("anna", tmp_path)
    first, second = order
    await remember(
        anna,
        episode(f"e{first}", "Which bread do I like?", day=first, ground_truth="Rye."),
        episode(f"e{second}", "which bread do I like", day=second, ground_truth="rye"),
        episode("e3", "which bread do I like", day=3, ground_truth="White."),
    )
    assert await recalled(anna, "which bread do I like") == ["e3", "e2"], (
        "another answer is no twin"
    )


async def test_of_the_same_query_the_newest_comes_first(tmp_path: Path) -> None:
    for mode in ("hybrid", "dense", "bm25"):
        anna = memory_of("anna", tmp_path, recall_mode=mode)
        episodes = [
            episode(f"e{n}", "my address", day=n, ground_truth=f"{n} Elm St") for n in range(28)
        ]
        await remember(anna, *episodes[20:], *episodes[:20])
        assert await recalled(anna, "my address", 3) == ["e27", "e26", "e25"]


class Broken:
    """An index that is down, or (``slow``) never answers."""

    def __init__(self, slow: bool = False) -> None:
        self.slow = slow

    async def _fail(self, *args: object, **kwargs: object) -> None:
        if self.slow:
            await asyncio.Event().wait()
        raise IndexUnavailable("The index is on holiday.")

    kind = "broken"
    upsert = search = delete = clear = count = count_of = has_entries = _fail

    async def aclose(self) -> None:
        return None


@pytest.mark.parametrize(
    ("slow", "says"), [(False, "The index is on holiday."), (True, "Recall took over 0.05 s")]
)
async def test_a_failing_index_costs_the_recall_but_no_episode(
    tmp_path: Path, slow: bool, says: str
) -> None:
    store = InMemoryStore()
    broken = memory_of("anna", tmp_path, store=store, index=Broken(slow), recall_timeout=0.05)  # type: ignore[arg-type]
    [warning] = await broken.remember(episode("e1", "rye bread"), version=1)
    assert "later" in warning
    result = await broken.recall("bread", 5)
    assert result.episodes == []
    assert says in " ".join(result.warnings)
    assert (await broken.episodes.get("e1")).query == "rye bread"

    mended = memory_of("anna", tmp_path, store=store)
    assert await mended.indexer.refresh() == 1
    assert await mended.indexer.refresh() == 0
    assert await recalled(mended, "bread") == ["e1"]


async def test_a_user_recalls_nothing_of_another(tmp_path: Path) -> None:
    store, index = InMemoryStore(), index_in_memory()
    anna = memory_of("anna", tmp_path, store=store, index=index)
    ben = memory_of("ben", tmp_path, store=store, index=index)
    await remember(anna, episode("e1", "rye bread"))
    await remember(ben, episode("e1", "rye bread and jam", user_id="ben"))
    assert [each.query for each in (await anna.recall("jam bread", 9)).episodes] == ["rye bread"]
    assert not await memory_of("Anna", tmp_path, store=store, index=index).exists()


async def close_reranker(memory: UserMemory) -> None:
    assert memory.recaller.reranker
    await memory.recaller.reranker.aclose()


async def test_a_reranker_has_the_last_word_before_the_cut(tmp_path: Path) -> None:
    with rerank_endpoint(lambda query, text: float("motor" in text)) as endpoint:
        anna = memory_of("anna", tmp_path, rerank_url=endpoint.url)
        await remember(
            anna, *[episode(f"e{n}", f"rye bread {n}") for n in range(5)], episode("m", "motor oil")
        )
        assert (await recalled(anna, "rye bread", 2))[0] == "m"
        assert endpoint.requests[0].body["query"] == "rye bread"
        await close_reranker(anna)


@pytest.mark.parametrize(("status", "says"), [(500, "answered 500"), (0, "cannot be reached")])
async def test_a_failing_reranker_costs_only_its_order(
    tmp_path: Path, status: int, says: str
) -> None:
    with rerank_endpoint(lambda query, text: 0.0, status=status or 200) as endpoint:
        url = endpoint.url if status else "http://127.0.0.1:9/rerank"
        anna = memory_of("anna", tmp_path, rerank_url=url)
        await remember(anna, episode("e1", "rye bread"), episode("m", "motor oil"))
        result = await anna.recall("rye bread", 2)
        await close_reranker(anna)
    assert [each.id for each in result.episodes] == ["e1", "m"]
    assert says in " ".join(result.warnings)
    assert not result.failed


async def test_a_slow_reranker_is_given_up(tmp_path: Path) -> None:
    class Slow:
        async def scores(self, query: str, texts: list[str]) -> list[float]:
            await asyncio.Event().wait()
            return []

        async def aclose(self) -> None:
            return None

    anna = memory_of("anna", tmp_path)
    await remember(anna, episode("e1", "rye bread"), episode("m", "motor oil"))
    slow = replace(anna.recaller, reranker=Slow(), rerank_timeout=0.05)
    result = await slow.recall("rye bread", 2)
    assert [each.id for each in result.episodes] == ["e1", "m"]
    assert "Reranking took over 0.05 s" in result.warnings[0]


async def test_hidden_episodes_lend_nothing_to_their_conversation(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    thread = {"metadata": {"conversation_id": "t"}}
    told = [
        episode("hit", "rye bread recipe", day=1, **thread),
        episode("next", "thanks, lovely", day=2, **thread),
        *[episode(f"x{n}", f"motor oil {n}", day=3) for n in range(5)],
    ]
    await remember(anna, *told)
    assert (await recalled(anna, "rye bread recipe", 2)) == ["hit", "next"]
    without = anna.hiding(Hidden(frozenset({"hit"})))
    alone = memory_of("anna", tmp_path)
    await remember(alone, *told[1:])
    query = "rye bread recipe"
    assert await recalled(without, query, 6) == await recalled(alone, query, 6)
