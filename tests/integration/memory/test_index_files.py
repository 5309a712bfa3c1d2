"""What only an index in a file can do."""

from dataclasses import replace
from pathlib import Path

import pytest

from personaagent.core.errors import IndexDamaged, IndexUnavailable
from personaagent.memory.index.protocol import IndexQuery
from personaagent.memory.index.sqlite import SqliteIndex
from tests.support.entries import ANNA, BEN, entries
from tests.support.index_search import found

pytestmark = [
    pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection"),
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant"),
]


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
    scores = await index.search(ANNA, IndexQuery(near.passages[0].dense, None, limit=9))
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
