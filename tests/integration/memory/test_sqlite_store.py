"""The store in the data folder: all or nothing, an episode with its rows, and nothing left of either."""

import asyncio
import os
import signal
import sqlite3
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from personaagent.core.errors import DataError
from personaagent.core.settings import load_settings
from personaagent.local.agent import LocalAgent, open_local
from personaagent.nodes.dependencies import Dependencies
from tests.support.embedder import BagEmbedder
from tests.support.imports import opened
from tests.support.memories import episode


def rows(home: Path, sql: str) -> int:
    connection = sqlite3.connect(home / "memory.sqlite")
    [count] = connection.execute(sql).fetchone()
    connection.close()
    return int(count)


def counts(home: Path) -> tuple[int, int]:
    """How many episodes there are, and how many passages; these episodes have one each."""
    return (
        rows(home, "SELECT count(*) FROM store WHERE prefix GLOB 'users.*.episodes'"),
        rows(home, "SELECT count(*) FROM passages"),
    )


async def test_an_episode_and_its_rows_are_written_together(tmp_path: Path) -> None:
    async with opened(tmp_path) as agent:
        anna = agent.memory("anna")
        assert await anna.remember(episode("e1", "rye bread"), version=1) == []
        assert counts(tmp_path) == (1, 1)
        assert await anna.store.keys("unindexed", 1) == []
        await agent.store.conn.execute(  # type: ignore[attr-defined]
            "CREATE TEMP TRIGGER refuse BEFORE INSERT ON passages BEGIN SELECT raise(ABORT, 'no'); END"
        )
        with pytest.raises(DataError):
            await anna.remember(episode("e2", "motor oil"), version=1)
        assert counts(tmp_path) == (1, 1), "neither, if one fails"
        assert [each.id for each in (await anna.recall("oil bread", 5)).episodes] == ["e1"]


async def test_nothing_runs_on_when_it_is_closed(tmp_path: Path) -> None:
    async with opened(tmp_path) as agent:
        await agent.memory("anna").episodes.add([episode("e1", "rye bread")])
        assert len(asyncio.all_tasks()) > 1
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_deleting_an_episode_deletes_its_rows(tmp_path: Path) -> None:
    async with opened(tmp_path) as agent:
        for user in ("anna", "ben"):
            memory = agent.memory(user)
            await memory.episodes.add(
                [episode(f"e{n}", f"bread {n}", user_id=user) for n in (1, 2)]
            )
            await memory.indexer.refresh()
        receipt = await agent.forget("anna", ["e1"])
        assert (receipt.embeddings, counts(tmp_path)) == (1, (3, 3))
        assert [each.id for each in (await agent.memory("anna").recall("bread", 5)).episodes] == [
            "e2"
        ]
        assert (await agent.forget_all("ben")).embeddings == 2
        assert counts(tmp_path) == (1, 1)
        assert rows(tmp_path, "SELECT count(*) FROM index_users") == 1, "no trace of the user"
        await agent.memory("anna").episodes.give_feedback("e2", "accept")
        assert counts(tmp_path) == (1, 1), "a changed episode keeps its rows"


async def test_who_forgot_their_only_episode_recalls_nothing_and_is_not_told_of_a_fault(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as agent:
        anna = agent.memory("anna")
        await anna.remember(episode("e1", "rye bread"), version=1)
        await agent.forget("anna", ["e1"])
        assert await anna.search("bread", 5) == []
        assert (await anna.recall("bread", 5)).warnings == []


async def test_what_is_forgotten_leaves_no_byte(tmp_path: Path) -> None:
    async with opened(tmp_path) as agent:
        anna = agent.memory("anna")
        others = [episode(f"e{n}", f"the loaf number {n}") for n in range(40)]
        await anna.episodes.add([*others, episode("the-secret-id", "zanzibar quetzal")])
        await anna.indexer.refresh(100)
        [vector] = await BagEmbedder().embed(["zanzibar quetzal"])
        marks = [b"zanzibar", b"the-secret-id", struct.pack("<64e", *vector)]
        assert left(tmp_path, marks) == set(marks), "the test looks for the right bytes"
        await agent.forget("anna", ["the-secret-id"])
        assert left(tmp_path, marks) == set()
    assert left(tmp_path, marks) == set()


def left(home: Path, marks: list[bytes]) -> set[bytes]:
    held = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    return {mark for mark in marks if mark in held}


async def test_the_index_of_an_earlier_version_is_built_anew(tmp_path: Path) -> None:
    """It was in folders of its own, and the store named only the embedding model."""
    async with opened(tmp_path) as agent:
        anna = agent.memory("anna")
        await anna.episodes.add([episode(f"e{n}", f"bread {n}") for n in range(70)])
        await anna.store.write([("index", "state", {"embeddings": "bag-of-words"})])
        for key in await anna.store.keys("unindexed", 100):
            await anna.store.write([("unindexed", key, None)])
    for folder in ("index", "server-index"):
        (tmp_path / folder / "bag-of-words").mkdir(parents=True)
    async with opened(tmp_path) as agent:
        anna = agent.memory("anna")
        first = await anna.recall("bread 3", 5)
        assert "not indexed yet" in first.warnings[0], "it does not pretend to know all"
        assert len(first.episodes) == 5
        second = await anna.recall("bread 69", 1)
        assert (second.warnings, counts(tmp_path)) == ([], (70, 70))
    assert not {"index", "server-index"}.intersection(os.listdir(tmp_path))


WRITER = """
import asyncio, sys
from pathlib import Path
from tests.support.imports import opened
from tests.support.memories import episode

async def main(home, name, count):
    async with opened(Path(home)) as agent:
        anna = agent.memory("anna")
        for number in range(count):
            warnings = await anna.remember(episode(f"{name}{number}", f"{name} bread {number}"), 1)
            recalled = await anna.recall(f"{name} bread {number}", 3)
            assert not (warnings or recalled.warnings), (warnings, recalled.warnings)
            assert recalled.episodes[0].id == f"{name}{number}", recalled.episodes
            print(number, flush=True)

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


def writer(home: Path, name: str, count: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WRITER, str(home), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_write_and_recall_one_memory_at_once(tmp_path: Path) -> None:
    with writer(tmp_path, "a", 25) as one, writer(tmp_path, "b", 25) as other:
        for process in (one, other):
            out, errors = process.communicate()
            assert (process.returncode, out.count("\n")) == (0, 25), errors
    assert counts(tmp_path) == (50, 50)


@pytest.mark.parametrize("after", [1, 7])
def test_a_kill_leaves_an_episode_with_its_rows_or_neither(tmp_path: Path, after: int) -> None:
    with writer(tmp_path, "a", 100_000) as process:
        assert process.stdout is not None
        for _ in range(after):
            process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    episodes, indexed = counts(tmp_path)
    assert episodes == indexed >= after
    assert rows(tmp_path, "SELECT count(*) FROM pragma_integrity_check") == 1


async def test_an_endpoint_that_is_down_costs_no_episode(tmp_path: Path) -> None:
    class Down(BagEmbedder):
        async def embed(self, texts: object) -> list[list[float]]:
            raise DataError("The embedding model is away.")

    settings = load_settings(home=tmp_path)
    async with open_local(settings, Dependencies.from_settings(settings, Down())) as agent:
        [warning] = await agent.memory("anna").remember(episode("e1", "rye bread"), version=1)
        assert "the index will have it later" in warning
    async with opened(tmp_path) as agent:
        assert await recalled(agent, "bread") == ["e1"]


async def recalled(agent: LocalAgent, query: str) -> list[str]:
    return [each.id for each in (await agent.memory("anna").recall(query, 5)).episodes]
