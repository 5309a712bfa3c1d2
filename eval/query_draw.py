"""Which users and which of their queries a run covers."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from personaagent.core.records import Record
from personaagent.eval.samples import Sample


class QueryDraw(Record):
    """How much was drawn of a task, as ``run.json`` stores it.

    ``cases`` counts samples, ``questions`` counts queries. ``sha256`` changes if another draw is made
    or the data changes.
    """

    users: int
    cases: int
    questions: int
    sha256: str


class DrawnQuery(NamedTuple):
    """One query of the run: its user, its sample, and its own id."""

    user_id: str
    sample_id: str
    query_id: str


def draw_queries(
    samples: Iterable[Sample], users: int | None, limit: int | None, seed: int
) -> list[DrawnQuery]:
    """Draw queries of at most ``users`` users, at most ``limit`` in all; None means no limit.

    The seed decides which are drawn. A larger number adds to the draw of a smaller one.
    """
    queries = [
        DrawnQuery(sample.user_id, sample.id, query.id)
        for sample in samples
        for query in sample.queries
    ]
    user_ids = {query.user_id for query in queries}
    drawn_users = set(sorted(user_ids, key=lambda user_id: _rank(seed, user_id))[:users])
    candidates = [query for query in queries if query.user_id in drawn_users]
    ranked = sorted(candidates, key=lambda query: _rank(seed, query.sample_id, query.query_id))
    drawn = set(ranked[:limit])
    return [query for query in candidates if query in drawn]


def describe_draw(queries: Sequence[DrawnQuery]) -> QueryDraw:
    """The size of a draw, and its hash."""
    return QueryDraw(
        users=len({query.user_id for query in queries}),
        cases=len({query.sample_id for query in queries}),
        questions=len(queries),
        sha256=hashlib.sha256(repr([tuple(query) for query in queries]).encode()).hexdigest(),
    )


def _rank(seed: int, *names: str) -> bytes:
    return hashlib.sha256(repr((seed, *names)).encode()).digest()
