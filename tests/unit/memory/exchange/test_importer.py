"""An import stores all or nothing, and survives whatever fails meanwhile."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from personaagent.core.errors import DataError, EmbeddingsChanged, ModelUnavailable
from personaagent.local.agent import LocalAgent
from personaagent.memory.exchange.importer import import_episodes
from tests.support.embedder import BagEmbedder
from tests.support.imports import import_json, opened, stored, write


async def test_a_file_that_changes_meanwhile_is_noticed(agent: LocalAgent, file: Path) -> None:
    write(file, b'{"query": "q", "response": "r"}\n')

    class Changing:
        def __init__(self, step: str) -> None:
            self.step = step

        def __enter__(self) -> Any:
            if self.step.startswith("Importing"):
                with file.open("a") as more:
                    more.write('{"query": "another", "response": "r"}\n')
            return lambda done, total: None

        def __exit__(self, *_: object) -> None:
            pass

    with pytest.raises(DataError, match="changed while it was being imported"):
        await import_episodes(agent.memory("u"), file, Changing)
    assert await stored(agent) == []


async def test_two_processes_import_and_recall_at_once(tmp_path: Path, file: Path) -> None:
    async with opened(tmp_path / "home") as one, opened(tmp_path / "home") as other:
        await import_json(one, file, {"query": "black coffee", "response": "r"})
        assert (await other.memory("u").recall("coffee", 1)).episodes[0].query == "black coffee"
        imported = await import_json(other, file, {"query": "green tea", "response": "r"})
        assert (imported.added, imported.warnings) == (1, [])
        for agent in (one, other):
            recalled = await agent.memory("u").recall("green tea", 1)
            assert [each.query for each in recalled.episodes] == ["green tea"]
        assert await one.memory("u").store.keys("unindexed", 1) == []


async def test_a_history_may_be_longer_than_a_statement_of_sqlite(
    agent: LocalAgent, file: Path
) -> None:
    """SQLite takes 32,766 values in a statement, some builds more; fewer here, for a shorter test."""
    database = agent.store.conn  # type: ignore[attr-defined]
    await database._execute(database._conn.setlimit, sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 8_000)
    lines = [{"query": f"q{n}", "response": "r"} for n in range(2_000)]
    assert (await import_json(agent, file, *lines)).added == 2_000
    memory = agent.memory("u")
    assert await memory.indexer.rebuild() == 2_000
    await memory.profile.write_summary([], await memory.profile.unsummarised())
    assert await memory.profile.unsummarised() == {}
    assert len((await agent.forget_all("u")).episodes) == 2_000


class Failing(BagEmbedder):
    async def embed(self, texts: Any) -> list[list[float]]:
        if len(self.texts) > 600:
            raise RuntimeError("killed")
        return await super().embed(texts)


async def test_an_interrupted_import_is_completed_by_another(tmp_path: Path, file: Path) -> None:
    lines = [{"query": f"question number {n}", "response": "r"} for n in range(1100)]
    with pytest.raises(RuntimeError, match="killed"):
        async with opened(tmp_path / "home", Failing()) as agent:
            await import_json(agent, file, *lines)
    async with opened(tmp_path / "home") as agent:
        before = len(await stored(agent))
        assert 0 < before < 1100
        again = await import_episodes(agent.memory("u"), file)
        assert (again.added, again.skipped) == (1100 - before, before)
        assert await agent.memory("u").indexer.index.delete_all() == 1100


async def test_an_embedding_model_that_is_down_costs_no_episode(tmp_path: Path, file: Path) -> None:
    class Down(BagEmbedder):
        async def embed(self, texts: Any) -> list[list[float]]:
            raise ModelUnavailable("The endpoint does not answer.")

    async with opened(tmp_path / "home", Down()) as agent:
        imported = await import_json(agent, file, {"query": "q", "response": "r"})
        assert imported.added == 1
        assert "does not answer" in imported.warnings[0]


async def test_another_embedding_model_is_refused_before_anything_is_written(
    tmp_path: Path, file: Path
) -> None:
    async with opened(tmp_path / "home") as agent:
        await import_json(agent, file, {"query": "q", "response": "r"})
    async with opened(tmp_path / "home", BagEmbedder("another")) as agent:
        with pytest.raises(EmbeddingsChanged, match="memory reindex"):
            await import_json(agent, file, {"query": "q2", "response": "r"})
        assert len(await stored(agent)) == 1


async def test_metadata_of_a_file_deletes_no_conversation(agent: LocalAgent, file: Path) -> None:
    thread = "somebody's thread"
    await agent.memory("u").conversations.note(thread, ["theirs"])
    forged = {"thread_id": thread, "recalled": ["theirs"]}
    await import_json(agent, file, {"id": "x", "query": "q", "response": "r", "metadata": forged})
    assert (await agent.forget("u", ["x"])).threads == []


async def test_an_episode_is_never_stored_without_its_rows(agent: LocalAgent, file: Path) -> None:
    database, memory = agent.store.conn, agent.memory("u")  # type: ignore[attr-defined]
    await import_json(agent, file, {"query": "the first", "response": "r"})
    await database.execute(
        "CREATE TRIGGER full BEFORE INSERT ON passages BEGIN SELECT RAISE(ABORT, 'full'); END"
    )
    with pytest.raises(DataError):
        await import_json(agent, file, {"query": "the second", "response": "r"})
    assert [each.query for each in await stored(agent)] == ["the first"]
    assert len(await memory.store.keys("journal", 5)) == 1, "nor is it in the journal"
