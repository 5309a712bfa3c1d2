"""One suite over each back end of the index; then what only files, or only a server, can do."""

import asyncio
import json
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from langgraph.store.memory import InMemoryStore
from qdrant_client import AsyncQdrantClient

from personaagent.core.errors import IndexDamaged, IndexUnavailable
from personaagent.core.records import Episode
from personaagent.core.settings import Settings, load_settings
from personaagent.memory.index.edge import EdgeIndex
from personaagent.memory.index.open import open_index
from personaagent.memory.index.protocol import Embedding, Entry, EpisodeIndex, Hit
from personaagent.memory.index.server import QdrantIndex
from personaagent.memory.memory import Memory
from tests.support.embedder import BagEmbedder
from tests.support.entries import ANNA, BEN, BM25, EMBEDDER, entries
from tests.support.folders import contents
from tests.support.qdrant_server import Server, Stall, Status, qdrant_server

pytestmark = [
    pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection"),
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant"),
]

KEY = "key-of-the-server"


@pytest.fixture(params=["edge", "memory", "server"])
async def index(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[EpisodeIndex]:
    if request.param == "edge":
        opened: EpisodeIndex = EdgeIndex(tmp_path / "index")
        yield opened
    elif request.param == "memory":
        opened = QdrantIndex(AsyncQdrantClient(":memory:"), "test")
        yield opened
    else:
        with qdrant_server(KEY) as server:
            opened = open_index(on_server(server), "bag-of-words")
            yield opened
            await opened.aclose()
        return
    await opened.aclose()


def on_server(server: Server, key: str = KEY, **changes: object) -> Settings:
    return load_settings(qdrant_url=server.url, qdrant_api_key=key, **changes)


async def found(
    index: EpisodeIndex, user: str, query: str, limit: int = 10, before: float | None = None
) -> tuple[list[Hit], list[Hit]]:
    [dense] = await EMBEDDER.embed([query])
    ranking = await index.search(
        user, dense=dense, bm25=BM25.query(query), limit=limit, before=before
    )
    return ranking.dense, ranking.bm25


def ids(hits: Sequence[Hit]) -> list[str]:
    return [hit.episode_id for hit in hits]


async def test_finds_by_meaning_and_by_word(index: EpisodeIndex) -> None:
    await index.upsert(ANNA, await entries("walk the dog", "bake rye bread", "dog"))
    dense, bm25 = await found(index, ANNA, "rye bread")
    assert ids(dense)[0] == "e1"
    assert ids(bm25) == ["e1"]
    assert [hit.at for hit in bm25] == [1.0]
    assert dense[0].score > dense[1].score
    alone = await index.search(ANNA, dense=None, bm25=BM25.query("dog"), limit=10)
    assert alone.dense == []
    assert ids(alone.bm25)[0] == "e2", "the shorter text weighs the word more"
    [vector] = await EMBEDDER.embed(["walk the dog"])
    alone = await index.search(ANNA, dense=vector, bm25=None, limit=1)
    assert (ids(alone.dense), alone.bm25) == (["e0"], [])


async def test_before_the_first_write_there_is_nothing(index: EpisodeIndex) -> None:
    assert await found(index, ANNA, "anything") == ([], [])
    assert await index.count(ANNA) == 0
    await index.delete(ANNA, ["e0"])
    await index.clear(ANNA)
    await index.upsert(ANNA, [])
    await index.optimise()
    assert await index.count(ANNA) == 0


async def test_the_same_id_of_two_users_stays_apart(index: EpisodeIndex) -> None:
    await index.upsert(ANNA, await entries("rye bread"))
    await index.upsert(BEN, await entries("motor oil"))
    assert (await index.count(ANNA), await index.count(BEN)) == (1, 1)
    for query in ("rye bread", "motor oil"):
        dense, bm25 = await found(index, ANNA, query)
        assert ids(dense) == ["e0"]
        assert ids(bm25) == (["e0"] if query == "rye bread" else [])
    await index.delete(ANNA, ["e0"])
    assert (await index.count(ANNA), await index.count(BEN)) == (0, 1)
    await index.upsert(ANNA, await entries("rye bread", "more bread"))
    await index.clear(BEN)
    assert (await index.count(ANNA), await index.count(BEN)) == (2, 0)
    assert await found(index, BEN, "rye bread") == ([], [])


async def test_term_statistics_are_of_the_users_own_episodes(index: EpisodeIndex) -> None:
    # Of Anna's words "fern" is rare and "loaf" common; among Ben's it is the other way round.
    own = ["loaf one", "loaf two", "loaf three", "fern four"]
    await index.upsert(ANNA, await entries(*own))
    _, alone = await found(index, ANNA, "fern loaf")
    await index.upsert(BEN, await entries(*[f"fern {number}" for number in range(2000)]))
    _, beside = await found(index, ANNA, "fern loaf")
    assert ids(alone)[0] == "e3"
    assert ids(beside)[0] == "e3"
    assert [hit.score for hit in beside] == pytest.approx([hit.score for hit in alone])


async def test_upsert_replaces(index: EpisodeIndex) -> None:
    await index.upsert(ANNA, await entries("walk the dog"))
    await index.upsert(ANNA, await entries("bake bread"))
    assert await index.count(ANNA) == 1
    assert ids((await found(index, ANNA, "bread"))[1]) == ["e0"]
    assert ids((await found(index, ANNA, "dog"))[1]) == []


async def test_limit(index: EpisodeIndex) -> None:
    await index.upsert(ANNA, await entries(*[f"bread {number}" for number in range(7)]))
    assert [len(hits) for hits in await found(index, ANNA, "bread", limit=3)] == [3, 3]
    assert [len(hits) for hits in await found(index, ANNA, "bread", limit=300)] == [7, 7]


async def test_before_a_moment(index: EpisodeIndex) -> None:
    await index.upsert(ANNA, await entries(*[f"bread {number}" for number in range(7)]))
    await index.upsert(BEN, await entries("bread 0"))
    for hits in await found(index, ANNA, "bread", before=3.0):
        assert sorted(ids(hits)) == ["e0", "e1", "e2"], "not the one of that very moment"
    for hits in await found(index, ANNA, "bread 6", limit=2, before=3.5):
        assert len(hits) == 2, "as many as asked for, though nearer ones came later"
        assert set(ids(hits)) < {"e0", "e1", "e2", "e3"}
    assert await found(index, ANNA, "bread", before=0.0) == ([], [])


async def test_term_statistics_are_of_the_time_before(index: EpisodeIndex) -> None:
    await index.upsert(ANNA, await entries("fern one", "loaf two", "loaf three", "loaf four"))
    _, alone = await found(index, ANNA, "fern loaf")
    await index.upsert(ANNA, await entries(*[f"fern {n}" for n in range(50)], start=4))
    _, late = await found(index, ANNA, "fern loaf", limit=100)
    _, early = await found(index, ANNA, "fern loaf", before=4.0)
    assert ids(early)[0] == ids(alone)[0] == "e0"
    assert [hit.score for hit in early] == pytest.approx([hit.score for hit in alone])
    assert ids(late)[0] != "e0"


@pytest.mark.parametrize("query", ["the", "?!", "", "wörd-nobody-said"])
async def test_a_query_without_terms_still_finds_by_meaning(
    index: EpisodeIndex, query: str
) -> None:
    await index.upsert(ANNA, await entries("the", "bread"))
    dense, bm25 = await found(index, ANNA, query)
    assert len(dense) == 2
    assert bm25 == []
    alone = await index.search(ANNA, dense=None, bm25=BM25.query(query), limit=5)
    assert (alone.dense, alone.bm25) == ([], [])


async def test_any_script(index: EpisodeIndex) -> None:
    texts = ["où est la gare", "где вокзал", "駅はどこですか", "🍞 хлеб"]
    await index.upsert(ANNA, await entries(*texts))
    for number, text in enumerate(texts):
        dense, bm25 = await found(index, ANNA, text)
        assert ids(dense)[0] == f"e{number}"
        assert ids(bm25)[:1] == [f"e{number}"]


async def test_deleting_in_turns(index: EpisodeIndex) -> None:
    await index.upsert(ANNA, await entries(*[f"bread {number}" for number in range(6)]))
    for number in range(3):
        await index.delete(ANNA, [f"e{number}", "never-there"])
    await index.upsert(ANNA, await entries("bread again", start=9))
    assert await index.count(ANNA) == 4
    assert sorted(ids((await found(index, ANNA, "bread"))[1])) == ["e3", "e4", "e5", "e9"]


async def test_calls_at_once(index: EpisodeIndex) -> None:
    await index.upsert(ANNA, await entries(*[f"bread {number}" for number in range(20)]))
    results = await asyncio.gather(
        *[found(index, ANNA, "bread", limit=30) for _ in range(5)],
        index.delete(ANNA, ["e7"]),
        *[found(index, ANNA, "bread", limit=30) for _ in range(5)],
    )
    assert all(result is None or len(result[0]) >= 19 for result in results)


# -- what only files can do ------------------------------------------------------------------


async def test_reopened(tmp_path: Path) -> None:
    first = EdgeIndex(tmp_path / "index")
    await first.upsert(ANNA, await entries("rye bread"))
    await first.aclose()
    second = EdgeIndex(tmp_path / "index")
    assert ids((await found(second, ANNA, "rye bread"))[1]) == ["e0"]
    await second.aclose()
    assert ids((await found(second, ANNA, "rye bread"))[1]) == ["e0"], "closing is not for ever"
    await second.aclose()


OTHER_PROCESS = """
import asyncio, os, signal, sys
from pathlib import Path
from personaagent.memory.index.edge import EdgeIndex
from tests.support.entries import ANNA, entries

async def main():
    index = EdgeIndex(Path(sys.argv[1]))
    await index.upsert(ANNA, await entries("rye bread", "motor oil"))
    print("written", flush=True)
    sys.stdin.readline()
    if sys.argv[2] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    await index.aclose()

asyncio.run(main())
"""


def other_process(folder: Path, end: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, str(folder), end],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    return process


async def test_what_was_written_survives_a_kill(tmp_path: Path) -> None:
    with other_process(tmp_path / "index", "kill") as process:
        process.communicate("\n")
    assert process.returncode == -signal.SIGKILL
    index = EdgeIndex(tmp_path / "index")
    assert await index.count(ANNA) == 2
    assert ids((await found(index, ANNA, "motor oil"))[1]) == ["e1"]
    await index.aclose()


async def test_held_by_another_process(tmp_path: Path) -> None:
    index = EdgeIndex(tmp_path / "index", wait=0.1)
    with other_process(tmp_path / "index", "close") as process:
        with pytest.raises(IndexUnavailable) as caught:
            await found(index, ANNA, "bread")
        assert f"process {process.pid}" in str(caught.value)
        assert "\n" not in str(caught.value)
        assert not isinstance(caught.value, IndexDamaged), "it must not be rebuilt for this"
        process.communicate("\n")
    assert process.returncode == 0
    assert await index.count(ANNA) == 2
    await index.aclose()


def damage(folder: Path, how: str) -> None:
    if how == "config":
        (folder / "edge_config.json").write_text("{")
    elif how == "segment":
        for file in folder.glob("segments/*/*.json"):
            file.write_bytes(b"\0" * 100)
    else:
        for file in folder.glob("wal/open-*"):
            file.write_bytes(b"garbage")
        for file in folder.glob("segments/**/*.dat"):
            file.unlink()


@pytest.mark.parametrize("how", ["config", "segment", "missing files"])
async def test_damaged_files_are_named_and_rebuilding_mends(tmp_path: Path, how: str) -> None:
    settings = load_settings(home=tmp_path)
    store = InMemoryStore()
    memory = Memory(settings, BagEmbedder())
    anna = memory.of(store, "anna")
    await anna.episodes.add([Episode(id="e1", user_id="anna", query="rye bread", response="ok")])
    await anna.indexer.refresh()
    await memory.aclose()
    damage(tmp_path / "index" / "bag-of-words", how)

    memory = Memory(settings, BagEmbedder())
    anna = memory.of(store, "anna")
    with pytest.raises(IndexDamaged) as caught:
        await anna.search_with_duplicates("rye", 5)
    assert "personaagent memory reindex" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert await anna.indexer.rebuild() == 1
    assert [each.id for each in (await anna.recall("rye bread", 3)).episodes] == ["e1"]
    await memory.aclose()


async def test_what_another_users_rebuilding_removed_is_indexed_again(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    store = InMemoryStore()
    memory = Memory(settings, BagEmbedder())
    anna, ben = memory.of(store, "anna"), memory.of(store, "ben")
    for user in (anna, ben):
        await user.episodes.add(
            [
                Episode(id=f"e{i}", user_id=user.user_id, query=f"bread {i}", response="")
                for i in (1, 2)
            ]
        )
        await user.indexer.refresh()
    await memory.aclose()
    damage(tmp_path / "index" / "bag-of-words", "config")
    memory = Memory(settings, BagEmbedder())
    anna, ben = memory.of(store, "anna"), memory.of(store, "ben")
    await anna.indexer.rebuild()
    [warning] = (await ben.recall("bread", 5)).warnings
    assert "personaagent memory reindex" in warning
    await ben.episodes.add([Episode(id="e3", user_id="ben", query="bread 3", response="")])
    assert {each.id for each in (await ben.recall("bread", 5)).episodes} == {"e1", "e2", "e3"}
    await memory.aclose()


async def test_an_index_that_moved_is_built_anew_in_its_own_folder(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    store = InMemoryStore()
    memory = Memory(settings, BagEmbedder())
    ben = memory.of(store, "ben")
    bread = [Episode(id=f"e{i}", user_id="ben", query=f"bread {i}", response="") for i in (1, 2, 3)]
    await ben.episodes.add(bread[:2])
    await ben.indexer.refresh()
    await memory.aclose()
    before = contents(tmp_path / "index")

    memory = Memory(settings, BagEmbedder(), index_folder="server-index")
    ben = memory.of(store, "ben")
    assert (await ben.recall("bread", 5)).warnings
    await ben.episodes.add(bread[2:])
    healed = await ben.recall("bread", 5)
    assert ({each.id for each in healed.episodes}, healed.warnings) == ({"e1", "e2", "e3"}, [])
    await memory.aclose()
    assert contents(tmp_path / "index") == before
    assert (tmp_path / "server-index" / "bag-of-words").is_dir()


async def test_a_deleted_vector_is_gone_from_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    index = EdgeIndex(folder)
    [secret, other] = await entries("a", "b")
    wave = [0.1234567, 0.7654321, 0.31415927, 0.27182818, *[0.0] * 60]
    length = sum(value * value for value in wave) ** 0.5
    secret = Entry(
        "the-secret-id", 1.0, Embedding([v / length for v in wave], secret.embedding.sparse)
    )
    kept = await entries(*[f"bread {number}" for number in range(30)], start=10)
    await index.upsert(ANNA, [secret, other, *kept])
    await index.upsert(BEN, kept)
    assert traces(folder, secret), "the test looks for the right bytes"
    await index.delete(ANNA, ["the-secret-id"])
    assert traces(folder, secret) == []
    await index.delete(ANNA, [other.episode_id])
    await index.upsert(ANNA, [secret])
    await index.optimise()
    await index.clear(ANNA)
    assert traces(folder, secret) == []
    assert (await index.count(ANNA), await index.count(BEN)) == (0, 30)
    await index.aclose()
    assert traces(folder, secret) == []


def traces(folder: Path, entry: Entry) -> list[str]:
    """The files that hold the vector (in either byte order, as segments and log do) or the id."""
    values = entry.embedding.dense[:4]
    marks = [
        struct.pack("<3f", *values[:3]),
        b"\xfa".join(struct.pack(">f", value) for value in values[:3]),
        entry.episode_id.encode(),
    ]
    return [
        f"{file.name}:{number}"
        for file, held in contents(folder).items()
        for number, mark in enumerate(marks)
        if mark in held
    ]


async def test_the_index_is_its_owners_alone(tmp_path: Path) -> None:
    index = EdgeIndex(tmp_path / "index" / "bag")
    await index.upsert(ANNA, await entries("bread"))
    assert (tmp_path / "index" / "bag").stat().st_mode & 0o077 == 0
    await index.delete(ANNA, ["never-there"])
    assert (tmp_path / "index" / "bag").stat().st_mode & 0o077 == 0
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
