"""How far an import is: noted for every process, and cancelled by any; what is stored then stays."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph.store.memory import InMemoryStore

from personaagent.core.records import now
from personaagent.memory.exchange import import_status
from personaagent.memory.exchange.batches import BATCH
from personaagent.memory.exchange.import_status import CANCELLED, SILENT, Imports, ImportStatus
from personaagent.memory.exchange.importer import ImportCancelled, Imported, import_episodes
from personaagent.memory.exchange.preview import preview_import
from personaagent.memory.undo import last_change, undo
from personaagent.memory.user import UserMemory
from tests.support.embedder import BagEmbedder
from tests.support.memories import memory_of
from tests.unit.memory.test_forget import Threads

LINES = 2 * BATCH + 10
SECONDS = 20


@pytest.fixture(autouse=True)
def noted_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_status, "EVERY", 0.01)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "lines.jsonl"
    lines = [{"id": f"e{n}", "query": f"Question {n}?", "response": "Yes."} for n in range(LINES)]
    file.write_text("\n".join(map(json.dumps, lines)))
    return file


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[asyncio.Event]:
    """Nothing is embedded until it opens, so that an import stays in its first batch."""
    gate, embed = asyncio.Event(), BagEmbedder.embed

    async def after_gate(self: BagEmbedder, texts: Any) -> list[list[float]]:
        await gate.wait()
        return await embed(self, texts)

    monkeypatch.setattr(BagEmbedder, "embed", after_gate)
    yield gate
    gate.set()


async def eventually(look: Callable[[], Awaitable[Any]]) -> Any:
    async with asyncio.timeout(SECONDS):
        while True:
            if found := await look():
                return found
            await asyncio.sleep(0.01)


async def import_noted(memory: UserMemory, file: Path) -> Imported:
    async with Imports(memory.store).noting() as progress:
        return await import_episodes(memory, file, progress)


async def under_way(
    home: Path, file: Path
) -> tuple[UserMemory, Imports, asyncio.Task[Imported], ImportStatus]:
    """An import in its second step, as another process sees it."""
    store = InMemoryStore()
    anna, elsewhere = (memory_of("anna", home, store=store) for _ in range(2))
    task = asyncio.create_task(import_noted(anna, file))
    imports = Imports(elsewhere.store)

    async def importing() -> ImportStatus | None:
        running = await imports.running()
        return next((each for each in running if each.step == "importing"), None)

    return elsewhere, imports, task, await eventually(importing)


async def test_another_process_sees_how_far_it_is(
    tmp_path: Path, file: Path, gate: asyncio.Event
) -> None:
    _, imports, task, status = await under_way(tmp_path, file)
    assert status.began_at <= status.at <= now()
    assert status.done == 0
    gate.set()
    imported = await task
    assert (imported.added, imported.cancelled) == (LINES, False)
    assert await imports.running() == []


async def test_cancelled_by_another_process_it_ends_and_what_is_stored_stays(
    tmp_path: Path, file: Path, gate: asyncio.Event
) -> None:
    anna, imports, task, status = await under_way(tmp_path, file)
    assert [each.key for each in await imports.cancel()] == [status.key]
    asked = now()

    async def noted_since() -> bool:
        return any(each.at > asked for each in await imports.running())

    for _ in range(2):  # the second note surely began after the request
        await eventually(noted_since)
        asked = now()
    gate.set()
    imported = await task
    assert (imported.added, imported.skipped, imported.cancelled) == (BATCH, 0, True)
    assert len(await anna.episodes.ids()) == BATCH
    assert [value async for value in anna.store.scan("imports")] == []
    await undo(anna, await last_change(anna), Threads().delete)
    assert await anna.episodes.ids() == []


async def test_a_cancelled_import_is_completed_by_another(tmp_path: Path, file: Path) -> None:
    anna = memory_of("anna", tmp_path)

    class CancelledAt:
        def __init__(self, done: int) -> None:
            self.done = done

        def __call__(self, step: str) -> Any:
            from contextlib import nullcontext

            def report(done: float, total: float | None, /) -> None:
                if step.startswith("Importing") and done >= self.done:
                    raise ImportCancelled

            return nullcontext(report)

    first = await import_episodes(anna, file, CancelledAt(BATCH))
    assert (first.added, first.cancelled) == (BATCH, True)
    second = await import_episodes(anna, file)
    assert (second.added, second.skipped, second.cancelled) == (LINES - BATCH, BATCH, False)
    third = await import_episodes(anna, file, CancelledAt(LINES))
    assert not third.cancelled, "nothing was left to do"


async def test_cancelled_while_the_file_is_checked_nothing_is_written(
    tmp_path: Path, file: Path
) -> None:
    anna = memory_of("anna", tmp_path)

    class Refusing:
        def __call__(self, step: str) -> Any:
            from contextlib import nullcontext

            def report(done: float, total: float | None, /) -> None:
                raise ImportCancelled

            return nullcontext(report)

    imported = await import_episodes(anna, file, Refusing())
    assert (imported.added, imported.cancelled) == (0, True)
    assert await anna.episodes.ids() == []
    with pytest.raises(ImportCancelled):
        await preview_import(anna, file, Refusing())


async def test_a_short_import_notes_nothing(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_status, "EVERY", 1000.0)
    anna = memory_of("anna", tmp_path)
    puts: list[str] = []
    put = anna.store.put

    async def noted(namespace: Any, key: str, value: dict[str, Any]) -> None:
        puts.append(namespace)
        await put(namespace, key, value)

    monkeypatch.setattr(anna.store, "put", noted)
    await import_noted(anna, file)
    assert "imports" not in puts


async def test_what_a_killed_process_left_is_not_shown_and_goes_with_the_next_import(
    tmp_path: Path, file: Path, gate: asyncio.Event
) -> None:
    anna, imports, task, status = await under_way(tmp_path, file)
    at = now() - 2 * SILENT
    dead = ImportStatus(key="k", step="checking", done=1, total=100, began_at=at, at=at)
    await anna.store.put("imports", dead.key, dead.stored())
    await anna.store.put("imports", f"{dead.key}{CANCELLED}", {})
    assert [each.key for each in await imports.running()] == [status.key]
    gate.set()
    await task
    assert [key async for key, _ in anna.store.scan("imports")] == []


async def test_the_next_import_removes_what_a_killed_process_left(
    tmp_path: Path, file: Path, gate: asyncio.Event
) -> None:
    anna, _, task, alive = await under_way(tmp_path, file)
    at = now() - 2 * SILENT
    dead = alive.model_copy(update={"key": "dead", "at": at})
    other = alive.model_copy(update={"key": "other"})
    for each in (dead, other):
        await anna.store.put("imports", each.key, each.stored())
    for key in ("dead", "other", "ended long ago"):
        await anna.store.put("imports", f"{key}{import_status.CANCELLED}", {})
    gate.set()
    await task
    assert {key async for key, _ in anna.store.scan("imports")} == {"other", "other.cancelled"}


async def test_nobody_sees_or_cancels_anothers(
    tmp_path: Path, file: Path, gate: asyncio.Event
) -> None:
    anna, _, task, _ = await under_way(tmp_path, file)
    ben = memory_of("ben", tmp_path, store=anna.store.base_store)  # type: ignore[arg-type]
    assert await Imports(ben.store).running() == []
    assert await Imports(ben.store).cancel() == []
    gate.set()
    assert not (await task).cancelled
