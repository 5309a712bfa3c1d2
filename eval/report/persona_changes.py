"""Personas before and after the alignments that were published."""

from collections.abc import Iterable
from difflib import ndiff
from pathlib import Path
from typing import Literal

from personaagent.core.alignment import Alignment
from personaagent.core.records import Record
from personaagent.eval.learning_stats import losses_of
from personaagent.eval.result_index import training_records
from personaagent.eval.results import TrainingRecord

MAX_CHANGES_PER_SOLVER = 6
LineKind = Literal["same", "new", "gone"]
LINE_KINDS: dict[str, LineKind] = {" ": "same", "+": "new", "-": "gone"}
"""By the mark that ``ndiff`` puts before a line."""


class DiffLine(Record):
    """A line of a persona: unchanged, new, or gone."""

    kind: LineKind
    text: str


class PersonaChange(Record):
    """A persona before and after a published alignment, and its losses."""

    task: str
    solver: str
    sample_id: str
    loss_before: float | None
    loss_after: float | None
    lines: list[DiffLine]

    @property
    def gain(self) -> float:
        """How much the loss sank; 0 if it is unknown."""
        return (self.loss_before or 0) - (self.loss_after or 0)


def find_persona_changes(folder: Path) -> list[PersonaChange]:
    """The published personas of each solver on each task, those that gained most first.

    Raises:
        DataError: the training records cannot be read.
    """
    return [
        change
        for records in training_records(folder).values()
        for change in _largest_changes(records.values())
    ]


def _largest_changes(records: Iterable[TrainingRecord]) -> list[PersonaChange]:
    changes = [change for change in map(_persona_change, records) if change is not None]
    return sorted(changes, key=lambda change: change.gain, reverse=True)[:MAX_CHANGES_PER_SOLVER]


def _persona_change(record: TrainingRecord) -> PersonaChange | None:
    """The change that this alignment published; None if it published nothing."""
    if record.learned.alignment is None:
        return None
    alignment = Alignment.model_validate(record.learned.alignment)
    if alignment.to_version == alignment.from_version:
        return None
    before, after = losses_of(alignment) or (None, None)
    return PersonaChange(
        task=record.task,
        solver=record.method,
        sample_id=record.case,
        loss_before=before,
        loss_after=after,
        lines=_diff(record.learned.before, record.learned.after),
    )


def _diff(before: str, after: str) -> list[DiffLine]:
    return [
        DiffLine(kind=LINE_KINDS[line[0]], text=line[2:])
        for line in ndiff(before.splitlines(), after.splitlines())
        if line[0] in LINE_KINDS
    ]
