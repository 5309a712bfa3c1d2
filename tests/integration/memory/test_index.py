"""One suite over each back end of the index; then what only files, or only a server, can do."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from langgraph.store.memory import InMemoryStore
from qdrant_client import AsyncQdrantClient

from personaagent.core.errors import IndexDamaged, IndexUnavailable
from personaagent.core.records import Episode
from personaagent.core.settings import Settings, load_settings
from personaagent.memory.index.open import open_index
from personaagent.memory.index.protocol import EpisodeIndex, Scores
from personaagent.memory.index.server import QdrantIndex
from personaagent.memory.index.sqlite import SqliteIndex
from personaagent.memory.memory import Memory
from personaagent.memory.terms import terms
from tests.support.embedder import BagEmbedder
from tests.support.entries import ANNA, BEN, EMBEDDER, entries
from tests.support.qdrant_server import Server, Stall, Status, qdrant_server

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

pytestmark = [
    pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection"),
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant"),
]

KEY = "key-of-the-server"


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


def on_server(server: Server, key: str = KEY, **changes: object) -> Settings:
    return load_settings(qdrant_url=server.url, qdrant_api_key=key, **changes)


Ranking = dict[str, float]
"""The scores of what was found, by episode, best first."""


async def found(
    index: EpisodeIndex, user: str, query: str, limit: int = 10, before: float | None = None
) -> tuple[Ranking, Ranking]:
    """What was found by meaning, and by word."""
    [dense] = await EMBEDDER.embed([query])
    scores = await index.search(user, dense=dense, terms=terms(query), limit=limit, before=before)
    assert scores.dense is not None
    assert scores.bm25 is not None
    by_word = ranking(scores, scores.bm25)
    return ranking(scores, scores.dense), {id: each for id, each in by_word.items() if each > 0}


def ranking(scores: Scores, column: "NDArray[np.float32]") -> Ranking:
    pairs = zip(scores.episode_ids, column.tolist(), strict=True)
    return dict(sorted(pairs, key=lambda pair: -pair[1]))


async def test_finds_by_meaning_and_by_word(index: EpisodeIndex) -> None:
    await index.upsert(ANNA, await entries("walk the dog", "bake rye bread", "dog"))
    dense, bm25 = await found(index, ANNA, "rye bread")
    assert next(iter(dense)) == "e1"
    assert [*bm25] == ["e1"]
    assert dense["e1"] == pytest.approx((2 / 3) ** 0.5, abs=1e-3)
    alone = await index.search(ANNA, dense=None, terms=terms("dog"), limit=10)
    assert alone.dense is None
    assert alone.bm25 is not None
    assert next(iter(ranking(alone, alone.bm25))) == "e2", "the shorter text weighs the word more"
    [vector] = await EMBEDDER.embed(["walk the dog"])
    alone = await index.search(ANNA, dense=vector, terms=None, limit=1)
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
    scores = await index.search(ANNA, dense=vector, terms=None, limit=9)
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
    alone = await index.search(ANNA, dense=vector, terms=terms("fern loaf"), limit=9)
    await index.upsert(ANNA, await entries(*["fern"] * 20, start=3))
    hidden = {f"e{number}" for number in range(3, 23)}
    beside = await index.search(
        ANNA, dense=vector, terms=terms("fern loaf"), limit=9, hidden=hidden
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


# -- what only a file can do -------------------------------------------------------------------


async def test_reopened(tmp_path: Path) -> None:
    first = SqliteIndex(tmp_path / "index.sqlite")
    await first.upsert(ANNA, await entries("rye bread"))
    await first.aclose()
    second = SqliteIndex(tmp_path / "index.sqlite")
    assert [*(await found(second, ANNA, "rye bread"))[1]] == ["e0"]
    await second.aclose()
    assert [*(await found(second, ANNA, "rye bread"))[1]] == ["e0"], "closing is not for ever"
    await second.aclose()
    assert (tmp_path / "index.sqlite").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("cache_bytes", [1 << 30, 20_000, 0])
async def test_another_process_sees_each_write(tmp_path: Path, cache_bytes: int) -> None:
    """Whatever is in memory: all that is added, replaced or deleted elsewhere counts at once."""
    ours = SqliteIndex(tmp_path / "index.sqlite", cache_bytes=cache_bytes)
    theirs = SqliteIndex(tmp_path / "index.sqlite")
    fresh = await entries(*[f"bread {number}" for number in range(60)])
    for step in range(0, 60, 3):
        await theirs.upsert(ANNA, fresh[step : step + 3])
        assert len((await found(ours, ANNA, "bread"))[0]) == step + 3
    await theirs.delete(ANNA, ["e59"])
    await theirs.upsert(ANNA, await entries("motor oil", start=59))
    assert [*(await found(ours, ANNA, "motor oil"))[1]] == ["e59"]
    assert await found(ours, ANNA, "bread 7 oil") == await found(theirs, ANNA, "bread 7 oil")
    await theirs.clear(ANNA)
    await theirs.upsert(BEN, fresh[:1])  # it takes the number that Anna had
    assert await found(ours, ANNA, "bread") == ({}, {})
    assert [*(await found(ours, BEN, "bread"))[0]] == ["e0"]
    await ours.aclose()
    await theirs.aclose()


async def test_blocks_do_not_cut_an_episode_in_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("personaagent.memory.index.sqlite.BLOCK_ROWS", 4)
    [one] = await entries("rye bread")
    several = [
        replace(one, episode_id=f"e{number}", passages=[*one.passages] * (1 + number % 3))
        for number in range(20)
    ]
    small, large = SqliteIndex(tmp_path / "index.sqlite"), SqliteIndex()
    for index in (small, large):
        await index.upsert(ANNA, several)
        assert await index.count(ANNA) == 20
    assert len((await found(small, ANNA, "bread"))[0]) == 20
    monkeypatch.setattr("personaagent.memory.index.sqlite.BLOCK_ROWS", 8192)
    assert await found(small, ANNA, "bread") == await found(large, ANNA, "bread")
    await small.aclose()
    await large.aclose()


async def test_a_part_without_vectors_is_found_by_word_and_last_by_meaning(tmp_path: Path) -> None:
    index = SqliteIndex(tmp_path / "index.sqlite")
    near, far, without = await entries("rye bread", "motor oil", "bread without")
    passages = [replace(passage, dense=None) for passage in without.passages]
    await index.upsert(ANNA, [replace(without, passages=passages)])
    scores = await index.search(ANNA, dense=near.passages[0].dense, terms=None, limit=9)
    assert scores.dense is None, "nothing to tell by meaning"
    await index.upsert(ANNA, [near, far])
    dense, bm25 = await found(index, ANNA, "bread")
    assert dense["e2"] == min(dense.values())
    assert set(bm25) == {"e0", "e2"}
    await index.aclose()


async def test_vectors_of_several_sizes_are_named_as_damage(tmp_path: Path) -> None:
    index = SqliteIndex(tmp_path / "index.sqlite")
    one, other = await entries("rye bread", "motor oil")
    shorter = replace(other.passages[0], dense=[1.0, 0.0])
    await index.upsert(ANNA, [one, replace(other, passages=[shorter])])
    with pytest.raises(IndexDamaged, match="personaagent memory reindex"):
        await found(index, ANNA, "bread")
    await index.clear(ANNA)
    assert await found(index, ANNA, "bread") == ({}, {})
    await index.aclose()


async def test_a_full_disk_is_a_sentence_and_keeps_what_was_stored(tmp_path: Path) -> None:
    index = SqliteIndex(tmp_path / "index.sqlite")
    await index.upsert(ANNA, await entries("rye bread"))
    connection = index._connection
    assert connection is not None
    connection.execute("PRAGMA max_page_count = 20")
    with pytest.raises(IndexUnavailable, match="The disk is full"):
        await index.upsert(ANNA, await entries(*[f"bread {n}" for n in range(900)], start=1))
    assert [*(await found(index, ANNA, "rye"))[0]] == ["e0"]
    await index.aclose()


# -- what only a server can do ----------------------------------------------------------------


async def test_the_collection_is_made_for_tenants() -> None:
    with qdrant_server(KEY) as server:
        index = open_index(on_server(server), "all-MiniLM-L6-v2@0123")
        await index.upsert(ANNA, await entries("bread"))
        await index.upsert(ANNA, await entries("bread"))
        await index.aclose()
    path = "/collections/personaagent-all-minilm-l6-v2-0123"
    assert server.calls.count(f"PUT {path}") == 1
    assert server.calls.count(f"PUT {path}/points") == 2
    assert server.indexed == [
        {"field_name": "user", "field_schema": {"type": "keyword", "is_tenant": True}},
        {"field_name": "at", "field_schema": "float"},
        {"field_name": "episode", "field_schema": "keyword"},
        {"field_name": "first", "field_schema": "bool"},
    ]
    assert server.created["hnsw_config"] == {"m": 0, "payload_m": 16}
    assert server.created["sparse_vectors"] == {"bm25": {"modifier": "idf"}}


async def fails(index: EpisodeIndex) -> str:
    """The sentence in which every call of the index ends."""
    sentences = set()
    for call in (
        lambda: found(index, ANNA, "bread"),
        lambda: index.count(ANNA),
        lambda: index.delete(ANNA, ["e0"]),
        lambda: index.clear(ANNA),
    ):
        with pytest.raises(IndexUnavailable) as caught:
            await call()
        sentences.add(str(caught.value))
    with pytest.raises(IndexUnavailable):
        await index.upsert(ANNA, await entries("bread"))
    [sentence] = sentences
    assert "\n" not in sentence
    assert "QDRANT_URL" in sentence
    assert KEY not in sentence
    return sentence


async def test_a_server_that_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = load_settings(qdrant_url=f"http://127.0.0.1:{port}")
    index = open_index(settings, "bag")
    await fails(index)
    await index.aclose()


async def test_a_wrong_key() -> None:
    with qdrant_server(KEY) as server:
        index = open_index(on_server(server, "a-wrong-key"), "bag")
        assert "QDRANT_API_KEY" in await fails(index)
        await index.aclose()
    assert server.calls == []


@pytest.mark.parametrize("how", [Status(500), Status(503), Status(429), Stall()], ids=str)
async def test_a_server_that_misbehaves(how: Status | Stall) -> None:
    with qdrant_server(KEY) as server:
        client = AsyncQdrantClient(
            url=server.url, api_key=KEY, timeout=1, check_compatibility=False
        )
        index = QdrantIndex(client, "test")
        await index.upsert(ANNA, await entries("bread"))
        server.misbehave = how
        if isinstance(how, Stall):  # a second a call
            with pytest.raises(IndexUnavailable):
                await index.count(ANNA)
        else:
            await fails(index)
        server.misbehave = None
        assert await index.count(ANNA) == 1, "it is asked again, as soon as it is there"
        await index.aclose()


async def test_a_collection_that_somebody_removed() -> None:
    with qdrant_server(KEY) as server:
        memory = Memory(on_server(server), BagEmbedder())
        anna = memory.of(InMemoryStore(), "anna")
        await anna.episodes.add([Episode(id="e1", user_id="anna", query="rye bread", response="")])
        await anna.indexer.refresh()
        admin = AsyncQdrantClient(url=server.url, api_key=KEY, check_compatibility=False)
        await admin.delete_collection("personaagent-bag-of-words")
        await admin.close()
        [warning] = (await anna.recall("bread", 3)).warnings
        assert "personaagent memory reindex" in warning
        assert await anna.indexer.rebuild() == 1
        assert [each.id for each in (await anna.recall("bread", 3)).episodes] == ["e1"]
        await memory.aclose()


def test_the_key_is_not_shown() -> None:
    assert KEY not in repr(load_settings(qdrant_url="http://x", qdrant_api_key=KEY))
    assert KEY not in json.dumps(load_settings(qdrant_api_key=KEY).model_dump(mode="json"))
    assert os.environ.get("QDRANT_API_KEY") is None, "tests run without the user's own key"
