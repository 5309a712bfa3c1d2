"""How many runs wait, work and fail on this server: for the pace of alignments, and for the metrics."""

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

UNFINISHED = ("pending", "running")
LONGEST = timedelta(days=1)
"""A run that is older is not believed to be under way: its process died, and nobody noted it."""
SHOWN_FAILURES = 20
"""How many of the runs that ended last are looked at."""
DEPTH = "SELECT status, count(*) FROM runs WHERE status IN ('pending', 'running') GROUP BY status"
OF_GRAPH = """
    FROM runs JOIN assistant USING (assistant_id)
    WHERE assistant.graph_id = :graph AND runs.status {which} ('pending', 'running')
"""
UNDER_WAY = f"SELECT count(*) {OF_GRAPH.format(which='IN')} AND runs.created_at >= :not_before"
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
        [[under_way]] = await _rows(UNDER_WAY, graph=graph, not_before=since - LONGEST)
        ended = await _rows(ENDED, graph=graph, since=since, limit=SHOWN_FAILURES)
        return pace_of(under_way, ended)
    return _pace_here(_runs_of(graph), since)


def _runs_of(graph: str) -> list[dict[str, Any]]:
    assistants = _records("assistants")
    ours = {each["assistant_id"] for each in assistants if each["graph_id"] == graph}
    return [run for run in _records("runs") if run["assistant_id"] in ours]


def _pace_here(runs: list[dict[str, Any]], since: datetime) -> Pace:
    under_way = [run for run in runs if run["status"] in UNFINISHED]
    ended = [
        (run["status"], run["updated_at"])
        for run in runs
        if run["status"] not in UNFINISHED and run["created_at"] >= since
    ]
    ended.sort(key=itemgetter(1), reverse=True)
    return pace_of(sum(run["created_at"] >= since - LONGEST for run in under_way), ended)


def pace_of(under_way: int, ended: list[tuple[str, datetime]]) -> Pace:
    """The pace, from status and time of the runs that ended, the latest first."""
    failed = 0
    for status, _ in ended:
        if status not in ("error", "timeout"):
            break
        failed += 1
    return Pace(under_way, failed, ended[0][1] if ended else None)


async def _rows(statement: str, **values: Any) -> list[Any]:
    from aegra_api.core.orm import get_session_maker  # pyright: ignore[reportMissingImports]
    from sqlalchemy import text  # pyright: ignore[reportMissingImports]

    async with get_session_maker()() as session:
        return [*(await session.execute(text(statement), values)).all()]


def _records(kind: str) -> list[Any]:
    from langgraph_runtime_inmem.database import GLOBAL_STORE

    store: Any = GLOBAL_STORE
    return [*store[kind]]
