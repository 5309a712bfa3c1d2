"""The index of a case gives what the index gives that users run."""

import random
from pathlib import Path

import pytest

from personaagent.eval.solvers.exact_index import ExactIndex
from personaagent.memory.index.bm25 import Bm25
from personaagent.memory.index.edge import EdgeIndex
from personaagent.memory.index.protocol import Embedding, Entry, Hit
from tests.support.embedder import BagEmbedder

WORDS = (
    "red", "blue", "boat", "boats", "castle", "knights", "knight", "moon", "rain", "dog", "cat",
    "walking", "walked", "the", "a", "of",
)  # fmt: skip


async def entries_of(texts: list[str]) -> list[Entry]:
    bm25, dense = Bm25(), await BagEmbedder().embed(texts)
    return [
        Entry(f"e{n}", float(n), Embedding(vector, bm25.document(text)))
        for n, (text, vector) in enumerate(zip(texts, dense, strict=True))
    ]


def scores(hits: list[Hit]) -> dict[str, float]:
    return {hit.episode_id: hit.score for hit in hits}


async def test_it_ranks_as_the_index_that_users_run(tmp_path: Path) -> None:
    chance = random.Random(0)
    texts = [" ".join(chance.choices(WORDS, k=chance.randint(1, 12))) for _ in range(60)]
    entries = await entries_of(texts)
    exact, edge = ExactIndex(), EdgeIndex(tmp_path / "index")
    try:
        for index in (exact, edge):
            await index.upsert("anna", entries)
            await index.upsert("ben", entries[:7])
            await index.delete("anna", ["e3"])
            assert await index.count("anna") == 59
        for query in ("the knight of a red castle", "walking dogs", "boats", "", "unheard"):
            [dense] = await BagEmbedder().embed([query])
            for user, before in (("anna", None), ("anna", 20.0), ("ben", None), ("cai", None)):
                ours, theirs = [
                    await index.search(
                        user, dense=dense, bm25=Bm25().query(query), limit=99, before=before
                    )
                    for index in (exact, edge)
                ]
                assert scores(ours.bm25) == pytest.approx(scores(theirs.bm25), rel=1e-5)
                half = pytest.approx(scores(theirs.dense), abs=2e-3)  # it keeps 16 bits
                assert scores(ours.dense) == half
                found = [hit.score for hit in ours.bm25]
                assert found == sorted(found, reverse=True)
    finally:
        await edge.aclose()


async def test_only_what_is_asked_for(tmp_path: Path) -> None:
    index = ExactIndex()
    entries = await entries_of(["a red boat", "a blue boat", "rain"])
    await index.upsert("anna", entries)
    await index.upsert("anna", entries[:1])
    [dense] = await BagEmbedder().embed(["a red boat"])
    found = await index.search("anna", dense=dense, bm25=None, limit=2)
    assert ([hit.episode_id for hit in found.dense], found.bm25) == (["e0", "e1"], [])
    assert await index.count("anna") == 3
    await index.clear("anna")
    assert not await index.has_entries("anna")
