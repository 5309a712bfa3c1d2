"""Recall: what comes to mind, in which order, and what an index that fails costs."""

import asyncio
from pathlib import Path

import pytest
from langgraph.store.memory import InMemoryStore

from personaagent.core.errors import EmbeddingsChanged, IndexUnavailable
from personaagent.core.settings import RecallMode, load_settings
from personaagent.memory.index.protocol import Hit, Ranking
from personaagent.memory.memory import Memory
from personaagent.memory.ranking import fuse
from personaagent.memory.user import UserMemory
from tests.support.embedder import BagEmbedder
from tests.support.memories import episode, index_in_memory, memory_of, remember

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


async def recalled(memory: UserMemory, query: str, k: int = 5) -> list[str]:
    result = await memory.recall(query, k)
    assert result.warnings == []
    return [each.id for each in result.episodes]


def hits(*ids: str) -> list[Hit]:
    """One hit an id (``e3`` is of the time 3), best first."""
    return [Hit(each, float(each[1:]), score=-rank) for rank, each in enumerate(ids)]


def test_fusion_worked_by_hand() -> None:
    # e1: 1/61 + 1/63 = 0.03227; e2: 1/62 + 1/62 = 0.03226; e4: 1/61; e3: 1/63
    assert fuse(Ranking(hits("e1", "e2", "e3"), hits("e4", "e2", "e1"))) == ["e1", "e2", "e4", "e3"]


def test_ties_go_to_the_newer() -> None:
    assert fuse(Ranking(hits("e1"), hits("e2"))) == ["e2", "e1"]
    same_score = [Hit("e1", 1.0, 0.5), Hit("e2", 2.0, 0.5)]
    assert fuse(Ranking(same_score, [])) == ["e2", "e1"]
    assert fuse(Ranking(same_score, same_score)) == ["e2", "e1"]


@pytest.mark.parametrize("mode", ["hybrid", "dense", "bm25"])
async def test_each_mode_finds(tmp_path: Path, mode: RecallMode) -> None:
    anna = memory_of("anna", tmp_path, recall_mode=mode)
    await remember(
        anna, episode("e1", "walk the dog"), episode("e2", "rye bread"), episode("e3", "motor oil")
    )
    assert (await recalled(anna, "bread of rye", 1)) == ["e2"]
    assert len(await recalled(anna, "rye bread", 3)) == (1 if mode == "bm25" else 3)


async def test_the_rankings_count_only_where_they_are_asked_for(tmp_path: Path) -> None:
    # "oil oil oil rye" is nearer to "oil oil rye" as a bag; BM25 holds to the rare, exact word.
    index, store = index_in_memory(), InMemoryStore()
    texts = {"e1": "runs running", "e2": "the morning walk", "e3": "the the the morning"}
    dense, bm25 = (
        memory_of("anna", tmp_path, store=store, index=index, recall_mode=mode)
        for mode in ("dense", "bm25")
    )
    await remember(dense, *[episode(key, text, int(key[1])) for key, text in texts.items()])
    assert (await recalled(dense, "run", 1)) != ["e1"], "a bag of words knows no stems"
    assert (await recalled(bm25, "run", 1)) == ["e1"], "BM25 does"


async def test_nothing_for_k_0_and_for_a_new_user(tmp_path: Path) -> None:
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
        episode(f"e{first}", "Which bread do I like?", day=first, response="Rye."),
        episode(f"e{second}", "which bread do I like", day=second, response="rye"),
        episode("e3", "which bread do I like", day=3, response="White."),
    )
    assert await recalled(anna, "which bread do I like") == ["e3", "e2"], (
        "another answer is no twin"
    )


async def test_the_same_query_again_the_newer_comes_first(tmp_path: Path) -> None:
    for mode in ("hybrid", "dense", "bm25"):
        anna = memory_of("anna", tmp_path, recall_mode=mode)
        episodes = [
            episode(f"e{n}", "my address", day=n, response=f"{n} Elm St") for n in range(28)
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

    upsert = search = delete = clear = count = has_entries = optimise = destroy = _fail

    async def aclose(self) -> None:
        return None


@pytest.mark.parametrize(
    ("slow", "says"), [(False, "The index is on holiday."), (True, "Recall took over 0.05 s")]
)
async def test_an_index_that_fails_costs_recall_and_no_episode(
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


async def test_catching_up_goes_in_bounded_steps(tmp_path: Path) -> None:
    anna = memory_of("anna", tmp_path)
    await anna.episodes.add([episode(f"e{n}", f"bread {n}") for n in range(150)])
    steps: list[tuple[int, int]] = []
    assert await anna.indexer.refresh(100, lambda *step: steps.append(step)) == 100
    assert await anna.indexer.refresh(100, lambda *step: steps.append(step)) == 50
    assert steps == [(64, 100), (100, 100), (50, 100)]


async def test_a_changed_embedding_model_is_refused_until_rebuilt(tmp_path: Path) -> None:
    store, settings = InMemoryStore(), load_settings(home=tmp_path)
    old = Memory(settings, BagEmbedder("old"), index_in_memory()).of(store, "anna")
    await remember(old, episode("e1", "rye bread"))
    memory = Memory(settings, BagEmbedder("new"), index_in_memory())
    new = memory.of(store, "anna")
    for use in (new.recall("bread", 3), new.indexer.index.check_model()):
        with pytest.raises(EmbeddingsChanged) as caught:
            await use
        assert "'anna' is indexed with old" in str(caught.value)
        assert "now new" in str(caught.value)
        assert "personaagent memory reindex" in str(caught.value)
    assert await new.indexer.rebuild() == 1
    assert await recalled(new, "bread") == ["e1"]
    await memory.aclose()


async def test_rebuilding_an_empty_memory(tmp_path: Path) -> None:
    assert await memory_of("anna", tmp_path).indexer.rebuild() == 0


async def test_users_do_not_meet(tmp_path: Path) -> None:
    store, index = InMemoryStore(), index_in_memory()
    anna = memory_of("anna", tmp_path, store=store, index=index)
    ben = memory_of("ben", tmp_path, store=store, index=index)
    await remember(anna, episode("e1", "rye bread"))
    await remember(ben, episode("e1", "rye bread and jam", user_id="ben"))
    assert [each.query for each in (await anna.recall("jam bread", 9)).episodes] == ["rye bread"]
    assert not await memory_of("Anna", tmp_path, store=store, index=index).exists()
