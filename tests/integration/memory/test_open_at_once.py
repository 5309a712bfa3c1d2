"""A new data folder: many open it at the same moment, and who makes its tables may be cut short."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path

import aiosqlite
import pytest
from langgraph.store.sqlite import AsyncSqliteStore

from personaagent.memory.data_folder import open_files


async def open_and_read(home: Path) -> list[str]:
    async with open_files(home) as files:
        await files.store.aput(("users", "anna", "notes"), "n", {"text": "rye"})
        return await files.threads("anna")


async def test_many_open_a_new_folder_at_once(tmp_path: Path) -> None:
    opened = await asyncio.gather(*(open_and_read(tmp_path / "home") for _ in range(8)))
    assert opened == [[]] * 8


@pytest.mark.parametrize("step", range(len(AsyncSqliteStore.MIGRATIONS)))
async def test_tables_that_were_cut_short_are_completed(step: int, tmp_path: Path) -> None:
    """LangGraph's own setup notes a step after it has made it: an earlier version was killed in between."""
    with sqlite3.connect(tmp_path / "memory.sqlite") as database:
        database.execute("CREATE TABLE store_migrations (v INTEGER PRIMARY KEY)")
        for number, sql in enumerate(AsyncSqliteStore.MIGRATIONS[: step + 1]):
            database.execute(sql)
            if number < step:
                database.execute("INSERT INTO store_migrations VALUES (?)", (number,))
    database.close()
    assert await open_and_read(tmp_path) == []


async def test_a_folder_opens_after_who_made_it_was_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled at each statement in turn, while the database still does what was asked."""
    step = 0
    while True:
        step += 1
        home = tmp_path / str(step)
        with monkeypatch.context() as patched:
            patched.setattr(aiosqlite.Connection, "_execute", cancelling(step))
            try:
                await open_and_read(home)
            except asyncio.CancelledError:
                pass
            else:
                break
        assert await open_and_read(home) == []
    assert step > len(AsyncSqliteStore.MIGRATIONS)


def cancelling(step: int) -> Callable[..., Awaitable[object]]:
    """Executes statements; at this one of the present task (the first is 1) the task is cancelled."""
    execute, numbers, task = aiosqlite.Connection._execute, count(1), asyncio.current_task()

    async def executed(self: aiosqlite.Connection, *arguments: object, **options: object) -> object:
        if task is not None and asyncio.current_task() is task and next(numbers) == step:
            task.cancel()
        return await execute(self, *arguments, **options)

    return executed
