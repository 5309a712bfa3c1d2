"""Counts what a piece of work makes the process do, beside its time: these hardly depend on the load."""

import asyncio
import cProfile
import pstats
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import aiosqlite


@dataclass
class Counts:
    """What was counted: function ``calls`` of the event loop's thread, ``wakes`` of the loop by other
    threads, ``tasks``, and ``trips`` (transactions) to a database."""

    calls: int = 0
    wakes: int = 0
    tasks: int = 0
    trips: int = 0


@dataclass(frozen=True)
class Spent:
    """Seconds by the clock, and of the processor in all threads."""

    wall: float
    cpu: float


async def timed(work: Callable[[], Awaitable[None]]) -> Spent:
    """Do ``work``; returns what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    await work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


async def counted(work: Callable[[], Awaitable[None]], database: aiosqlite.Connection) -> Counts:
    """Do ``work`` twice: once to count its function calls, and once for the rest, since each count
    adds calls of its own."""
    profile = cProfile.Profile()
    profile.enable()
    await work()
    profile.disable()
    counts = Counts(calls=pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]
    with _counting_wakes_and_tasks(counts):
        await database.set_trace_callback(lambda sql: _count_trip(counts, sql))
        before = Counts(**vars(counts))  # setting the callback woke the loop
        await work()
        wakes, tasks = counts.wakes - before.wakes, counts.tasks - before.tasks
        await database.set_trace_callback(None)  # pyright: ignore[reportArgumentType]
    return Counts(counts.calls, wakes, tasks, counts.trips)


def _count_trip(counts: Counts, sql: str) -> None:
    counts.trips += sql.startswith("BEGIN")


@contextmanager
def _counting_wakes_and_tasks(counts: Counts) -> Iterator[None]:
    loop: Any = asyncio.get_running_loop()
    wake = loop.call_soon_threadsafe

    def counted_wake(*args: Any, **options: Any) -> Any:
        counts.wakes += 1
        return wake(*args, **options)

    def counted_task(loop: Any, work: Any, **options: Any) -> "asyncio.Task[Any]":
        counts.tasks += 1
        return asyncio.Task(work, loop=loop, **options)

    loop.call_soon_threadsafe = counted_wake
    loop.set_task_factory(counted_task)
    try:
        yield
    finally:
        del loop.call_soon_threadsafe
        loop.set_task_factory(None)
