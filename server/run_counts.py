"""How many runs wait, work and fail on this server: for the pace of alignments, and for the metrics."""

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

UNFINISHED = ("pending", "running")
SHOWN_FAILURES = 20
"""How many of the runs that ended last are looked at."""
DEPTH = "SELECT status, count(*) FROM runs WHERE status IN ('pending', 'running') GROUP BY status"
OF_GRAPH = """
    FROM runs JOIN assistant USING (assistant_id)
    WHERE assistant.graph_id = :graph AND runs.status {which} ('pending', 'running')
"""
UNDER_WAY = f"SELECT count(*) {OF_GRAPH.format(which='IN')}"
ENDED = f"""
    SELECT runs.status, runs.updated_at {OF_GRAPH.format(which="NOT IN")}
    AND runs.created_at >= :since ORDER BY runs.updated_at DESC LIMIT :limit
"""


@dataclass(frozen=True)
class Pace:
    """How the runs of a graph go: unfinished ones, failures in a row, and when the last run ended."""

    under_way: int
    failed: int = 0
    ended_at: datetime | None = None


async def queue_depth() -> Mapping[str, int]:
    """How many runs of all users are ``pending`` and ``running``: of this database, or this process."""
    if "aegra_api" in sys.modules:
        counts = dict(await _rows(DEPTH))
    else:
        counts = Counter(run["status"] for run in _records("runs"))
    return {status: counts.get(status, 0) for status in UNFINISHED}


async def pace(graph: str, since: datetime) -> Pace:
    """How the runs of this graph go, of all users; failures of those that were made ``since`` then."""
    if "aegra_api" in sys.modules:
        [[under_way]] = await _rows(UNDER_WAY, graph=graph)
        ended = await _rows(ENDED, graph=graph, since=since, limit=SHOWN_FAILURES)
        return pace_of(under_way, ended)
    assistants = {
        each["assistant_id"] for each in _records("assistants") if each["graph_id"] == graph
    }
    runs = [run for run in _records("runs") if run["assistant_id"] in assistants]
    ended = sorted(
        (
            (run["status"], run["updated_at"])
            for run in runs
            if run["status"] not in UNFINISHED and run["created_at"] >= since
        ),
        key=lambda run: run[1],
        reverse=True,
    )
    return pace_of(sum(run["status"] in UNFINISHED for run in runs), ended[:SHOWN_FAILURES])


def pace_of(under_way: int, ended: list[tuple[str, datetime]]) -> Pace:
    """The pace, from status and time of the runs that ended, the latest first."""
    failed = 0
    for status, _ in ended:
        if status not in ("error", "timeout"):
            break
        failed += 1
    return Pace(under_way, failed, ended[0][1] if ended else None)


async def _rows(statement: str, **values: Any) -> list[Any]:
    from aegra_api.core.orm import _get_session_maker  # pyright: ignore[reportMissingImports]
    from sqlalchemy import text  # pyright: ignore[reportMissingImports]

    async with _get_session_maker()() as session:
        return [*(await session.execute(text(statement), values)).all()]


def _records(kind: str) -> list[Any]:
    from langgraph_runtime_inmem.database import GLOBAL_STORE

    store: Any = GLOBAL_STORE
    return [*store[kind]]
