"""What only an index on a Qdrant server can do, and how it fails."""

import json
import os
import socket

import pytest
from langgraph.store.memory import InMemoryStore
from qdrant_client import AsyncQdrantClient

from personaagent.core.errors import IndexUnavailable
from personaagent.core.records import Episode
from personaagent.core.settings import load_settings
from personaagent.memory.index.open import open_index
from personaagent.memory.index.protocol import EpisodeIndex
from personaagent.memory.index.server import QdrantIndex
from personaagent.memory.memory import Memory
from tests.support.embedder import BagEmbedder
from tests.support.entries import ANNA, entries
from tests.support.index_search import KEY, found, on_server
from tests.support.qdrant_server import Stall, Status, qdrant_server

pytestmark = [
    pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection"),
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant"),
]


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
