"""Erasing deleted rows: once for many who ask at a time, and never without one who asked."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from personaagent.memory import erasing
from personaagent.memory.erasing import Eraser


async def test_who_asks_meanwhile_shares_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    erased: list[Path] = []
    monkeypatch.setattr(erasing, "_erase", lambda path, pack: erased.append(path))
    eraser = Eraser()
    await asyncio.gather(*(eraser.erase([tmp_path], pack=False) for _ in range(24)))
    assert 1 <= len(erased) <= 2
    times = len(erased)
    await eraser.erase([tmp_path], pack=False)
    assert len(erased) == times + 1, "what was deleted since is erased too"


async def test_deleted_text_is_gone_from_the_file_while_others_have_it_open(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("CREATE TABLE texts (text TEXT)")
        other.executemany("INSERT INTO texts VALUES (?)", [(f"a secret {n}",) for n in range(500)])
        other.execute("DELETE FROM texts")
        assert held(tmp_path, b"a secret")
        await Eraser().erase([path], pack=False)
        assert held(tmp_path, b"a secret") == []
        other.execute("INSERT INTO texts VALUES ('still usable')")


def held(folder: Path, text: bytes) -> Sequence[Path]:
    """The files that hold it."""
    return [each for each in folder.iterdir() if text in each.read_bytes()]
