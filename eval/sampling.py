"""Which users and which of their questions a run is over."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from personaagent.core.records import Record
from personaagent.eval.samples import Sample


class Drawn(Record):
    """How much was drawn of a task; ``sha256`` tells another draw, or other data, from it."""

    users: int
    cases: int
    questions: int
    sha256: str


class Asked(NamedTuple):
    """One question that is asked: whose, in which case, and its id."""

    user_id: str
    case: str
    question: str


def draw(cases: Iterable[Sample], users: int | None, limit: int | None, seed: int) -> list[Asked]:
    """The questions of so many users, of these at most ``limit``; None stands for all of them.

    Which, the seed decides; a larger number adds to the draw of a smaller one.
    """
    asked = [
        Asked(case.user_id, case.id, question.id) for case in cases for question in case.questions
    ]
    everyone = sorted({each.user_id for each in asked}, key=lambda user: _place(seed, user))
    chosen = set(everyone[:users])
    asked = [each for each in asked if each.user_id in chosen]
    order = sorted(asked, key=lambda each: _place(seed, each.case, each.question))
    kept = set(order[:limit])
    return [each for each in asked if each in kept]


def drawn(asked: Iterable[Asked]) -> Drawn:
    """The draw in numbers."""
    asked = list(asked)
    return Drawn(
        users=len({each.user_id for each in asked}),
        cases=len({each.case for each in asked}),
        questions=len(asked),
        sha256=hashlib.sha256(repr([tuple(each) for each in asked]).encode()).hexdigest(),
    )


def _place(seed: int, *names: str) -> bytes:
    return hashlib.sha256(repr((seed, *names)).encode()).digest()
