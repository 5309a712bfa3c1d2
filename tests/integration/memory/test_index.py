"""One suite over each back end of the index."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from qdrant_client import AsyncQdrantClient

from personaagent.memory.index.open import open_index
from personaagent.memory.index.protocol import EpisodeIndex, IndexQuery
from personaagent.memory.index.server import QdrantIndex
from personaagent.memory.index.sqlite import SqliteIndex
from personaagent.memory.terms import terms
from tests.support.entries import ANNA, BEN, EMBEDDER, entries
from tests.support.index_search import KEY, found, on_server, ranking
from tests.support.qdrant_server import qdrant_server

pytestmark = [
    pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection"),
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant"),
]


@pytest.fixture(params=["file", "memory", "qdrant in memory", "qdrant server"])
async def index(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[EpisodeIndex]:
    with ExitStack() as stack:
        if request.param == "file":
            opened: EpisodeIndex = SqliteIndex(tmp_path / "index.sqlite")
        elif request.param == "memory":
            opened = SqliteIndex()
        elif request.param == "qdrant in memory":
            opened = QdrantIndex(AsyncQdrantClient(":memory:"), "test")
        else:
            server = stack.enter_context(qdrant_server(KEY))
            opened = open_index(on_server(server), "bag-of-words")
        yield opened
        await opened.aclose()


async def test_finds_by_meaning_and_by_word(index: EpisodeIndex) -> None:
    await index.upsert(ANNA, await entries("walk the dog", "bake rye bread", "dog"))
    dense, bm25 = await found(index, ANNA, "rye bread")
    assert next(iter(dense)) == "e1"
    assert [*bm25] == ["e1"]
    assert dense["e1"] == pytest.approx((2 / 3) ** 0.5, abs=1e-3)
    alone = await index.search(ANNA, IndexQuery(None, terms("dog"), limit=10))
    assert alone.dense is None
    assert alone.bm25 is not None
    assert next(iter(ranking(alone, alone.bm25))) == "e2", "the shorter text weighs the word more"
    [vector] = await EMBEDDER.embed(["walk the dog"])
    alone = await index.search(ANNA, IndexQuery(vector, None, limit=1))
    assert alone.bm25 is None
    assert alone.dense is not None
    assert next(iter(ranking(alone, alone.dense))) == "e0"
    assert alone.at[[*alone.episode_ids].index("e0")] == 0.0


async def test_an_episode_has_the_score_and_place_of_its_best_passage(index: EpisodeIndex) -> None:
    [other, first, second] = await entries("motor oil", "walk the dog", "bake rye bread")
    later = replace(second.passages[0], part="response", start=900, end=914)
    of_two = replace(first, thread="a talk", passages=[first.passages[0], later])
    await index.upsert(ANNA, [other, of_two, replace(second, episode_id="e9", thread="a talk")])
    dense, bm25 = await found(index, ANNA, "rye bread")
    assert dense["e1"] == dense["e9"] == max(dense.values())
    assert set(bm25) == {"e1", "e9"}
    [vector] = await EMBEDDER.embed(["rye bread"])
    scores = await index.search(ANNA, IndexQuery(vector, None, limit=9))
    rows = {id: row for row, id in enumerate(scores.episode_ids)}
    assert scores.passage(rows["e1"]) == ("response", 900, 914)
    assert scores.passage(rows["e9"]) == ("query", 0, 14)
    threads = scores.thread.tolist()
    assert threads[rows["e0"]] == -1
    assert threads[rows["e1"]] == threads[rows["e9"]] >= 0
    assert await index.count(ANNA) == 3
    assert await index.count_of(ANNA, ["e1", "e9", "never-there"]) == 2
    await index.delete(ANNA, ["e1"])
    assert set((await found(index, ANNA, "rye bread"))[0]) == {"e0", "e9"}


async def test_hidden_episodes_do_not_exist(index: EpisodeIndex) -> None:
    own = ["loaf one", "loaf two", "fern three"]
    await index.upsert(ANNA, await entries(*own))
    [vector] = await EMBEDDER.embed(["fern loaf"])
    alone = await index.search(ANNA, IndexQuery(vector, terms("fern loaf"), limit=9))
    await index.upsert(ANNA, await entries(*["fern"] * 20, start=3))
    hidden = {f"e{number}" for number in range(3, 23)}
    beside = await index.search(
        ANNA, IndexQuery(vector, terms("fern loaf"), limit=9, hidden=hidden)
    )
    for one, other in ((alone.dense, beside.dense), (alone.bm25, beside.bm25)):
        assert one is not None
        assert other is not None
        assert ranking(beside, other) == pytest.approx(ranking(alone, one))


async def test_before_the_first_write_there_is_nothing(index: EpisodeIndex) -> None:
    assert await found(index, ANNA, "anything") == ({}, {})
    assert await index.count(ANNA) == 0
    await index.delete(ANNA, ["e0"])
    await index.clear(ANNA)
    await index.upsert(ANNA, [])
    assert await index.count(ANNA) == 0


async def test_the_same_id_of_two_users_stays_apart(index: EpisodeIndex) -> None:
    await index.upsert(ANNA, await entries("rye bread"))
    await index.upsert(BEN, await entries("motor oil"))
    assert (await index.count(ANNA), await index.count(BEN)) == (1, 1)
    for query in ("rye bread", "motor oil"):
        dense, bm25 = await found(index, ANNA, query)
        assert [*dense] == ["e0"]
        assert [*bm25] == (["e0"] if query == "rye bread" else [])
    await index.delete(ANNA, ["e0"])
    assert (await index.count(ANNA), await index.count(BEN)) == (0, 1)
    await index.upsert(ANNA, await entries("rye bread", "more bread"))
    await index.clear(BEN)
    assert (await index.count(ANNA), await index.count(BEN)) == (2, 0)
    assert await found(index, BEN, "rye bread") == ({}, {})


async def test_term_statistics_are_of_the_users_own_episodes(index: EpisodeIndex) -> None:
    # Of Anna's words "fern" is rare and "loaf" common; among Ben's it is the other way round.
    own = ["loaf one", "loaf two", "loaf three", "fern four"]
    await index.upsert(ANNA, await entries(*own))
    _, alone = await found(index, ANNA, "fern loaf")
    await index.upsert(BEN, await entries(*[f"fern {number}" for number in range(2000)]))
    _, beside = await found(index, ANNA, "fern loaf")
    assert next(iter(alone)) == "e3"
    assert next(iter(beside)) == "e3"
    assert beside == pytest.approx(alone)


async def test_only_a_user_with_episodes_has_entries(index: EpisodeIndex) -> None:
    assert not await index.has_entries(ANNA)
    await index.upsert(ANNA, await entries("walk the dog"))
    assert await index.has_entries(ANNA)
    assert not await index.has_entries("")
    await index.clear(ANNA)
    assert not await index.has_entries(ANNA)


async def test_upsert_replaces(index: EpisodeIndex) -> None:
    await index.upsert(ANNA, await entries("walk the dog"))
    await index.upsert(ANNA, await entries("bake bread"))
    assert await index.count(ANNA) == 1
    assert [*(await found(index, ANNA, "bread"))[1]] == ["e0"]
    assert [*(await found(index, ANNA, "dog"))[1]] == []


async def test_limit(index: EpisodeIndex) -> None:
    await index.upsert(ANNA, await entries(*[f"bread {number}" for number in range(7)]))
    assert min([len(hits) for hits in await found(index, ANNA, "bread", limit=3)]) >= 3
    assert [len(hits) for hits in await found(index, ANNA, "bread", limit=300)] == [7, 7]


async def test_before_a_moment(index: EpisodeIndex) -> None:
    await index.upsert(ANNA, await entries(*[f"bread {number}" for number in range(7)]))
    await index.upsert(BEN, await entries("bread 0"))
    for hits in await found(index, ANNA, "bread", before=3.0):
        assert sorted([*hits]) == ["e0", "e1", "e2"], "not the one of that very moment"
    for hits in await found(index, ANNA, "bread 6", limit=2, before=3.5):
        assert len(hits) >= 2, "as many as asked for, though nearer ones came later"
        assert set(hits) <= {"e0", "e1", "e2", "e3"}
    assert await found(index, ANNA, "bread", before=0.0) == ({}, {})


async def test_term_statistics_are_of_the_time_before(index: EpisodeIndex) -> None:
    await index.upsert(ANNA, await entries("fern one", "loaf two", "loaf three", "loaf four"))
    _, alone = await found(index, ANNA, "fern loaf")
    await index.upsert(ANNA, await entries(*[f"fern {n}" for n in range(50)], start=4))
    _, late = await found(index, ANNA, "fern loaf", limit=100)
    _, early = await found(index, ANNA, "fern loaf", before=4.0)
    assert next(iter(early)) == next(iter(alone)) == "e0"
    assert early == pytest.approx(alone)
    assert next(iter(late)) != "e0"


@pytest.mark.parametrize("query", ["?!", "", "wörd-nobody-said"])
async def test_a_query_without_terms_still_finds_by_meaning(
    index: EpisodeIndex, query: str
) -> None:
    await index.upsert(ANNA, await entries("the", "bread"))
    dense, bm25 = await found(index, ANNA, query)
    assert len(dense) == 2
    assert bm25 == {}


async def test_any_script(index: EpisodeIndex) -> None:
    texts = ["où est la gare", "где вокзал", "駅はどこですか", "🍞 хлеб"]
    await index.upsert(ANNA, await entries(*texts))
    for number, text in enumerate(texts):
        dense, bm25 = await found(index, ANNA, text)
        assert next(iter(dense)) == f"e{number}"
        assert [*bm25][:1] == [f"e{number}"]


async def test_deleting_in_turns(index: EpisodeIndex) -> None:
    await index.upsert(ANNA, await entries(*[f"bread {number}" for number in range(6)]))
    for number in range(3):
        await index.delete(ANNA, [f"e{number}", "never-there"])
    await index.upsert(ANNA, await entries("bread again", start=9))
    assert await index.count(ANNA) == 4
    assert sorted([*(await found(index, ANNA, "bread"))[1]]) == ["e3", "e4", "e5", "e9"]


async def test_calls_at_once(index: EpisodeIndex) -> None:
    await index.upsert(ANNA, await entries(*[f"bread {number}" for number in range(20)]))
    results = await asyncio.gather(
        *[found(index, ANNA, "bread", limit=30) for _ in range(5)],
        index.delete(ANNA, ["e7"]),
        *[found(index, ANNA, "bread", limit=30) for _ in range(5)],
    )
    assert all(result is None or len(result[0]) >= 19 for result in results)
