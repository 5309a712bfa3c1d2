"""Reads LaMP (arXiv 2304.11406): ``questions.json`` and ``outputs.json`` of a folder, as published.

They contain a list of questions ``{id, input, profile}``, with ``user_id`` and ``date`` if the split is
by time, and ``{task, golds: [{id, output}]}``. A question without a user is a user of its own.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from personaagent.core.errors import DataError
from personaagent.eval.tasks.files import data_errors, iterate_json, read_json

PUBLISHED = (
    "LaMP is published at https://lamp-benchmark.github.io/download: save a task's "
    "dev_questions.json and dev_outputs.json as lamp/<task>/questions.json and outputs.json "
    "in the folder that --data or PERSONAAGENT_DATA names."
)

Json = Mapping[str, Any]


class ProfileItem(NamedTuple):
    """An item of a profile: its fields, and when it was written; None if that is unknown."""

    fields: Json
    date: datetime | None


class LampQuestion(NamedTuple):
    """A published question with its answer; ``profile`` has the earlier items, oldest first."""

    id: str
    user_id: str
    input: str
    gold: str
    date: datetime | None
    profile: list[ProfileItem]


def read_questions(folder: Path) -> Iterator[LampQuestion]:
    """Yield the questions of a task's folder in the order of the file.

    Raises:
        DataError: a file is missing or in another layout.
    """
    outputs_file, questions_file = folder / "outputs.json", folder / "questions.json"
    outputs = read_json(outputs_file, PUBLISHED)
    with data_errors(outputs_file, PUBLISHED):
        golds = {str(gold["id"]): str(gold["output"]).strip() for gold in outputs["golds"]}
    for fields in iterate_json(questions_file, PUBLISHED):
        with data_errors(questions_file, PUBLISHED):
            question = _question(fields, golds)
        yield question


def _question(fields: Json, golds: Mapping[str, str]) -> LampQuestion:
    question_id, date = str(fields["id"]), _date(fields.get("date"))
    if question_id not in golds:
        raise DataError(f"Question {question_id} has no answer in outputs.json. {PUBLISHED}")
    items = [ProfileItem(item, _date(item.get("date"))) for item in fields["profile"]]
    earlier = [item for item in items if not (date and item.date) or item.date < date]
    return LampQuestion(
        id=question_id,
        user_id=str(fields.get("user_id", question_id)),
        input=fields["input"],
        gold=golds[question_id],
        date=date,
        profile=sorted(earlier, key=lambda item: item.date or datetime.min.replace(tzinfo=UTC)),
    )


def _date(date: Any) -> datetime | None:
    """Parse Unix seconds, or ``2014-05-02``, ``2014-05`` or ``2014``."""
    if date is None:
        return None
    parts = [int(float(part)) for part in str(date).split("-")]
    if len(parts) == 1 and parts[0] > datetime.max.year:
        return datetime.fromtimestamp(parts[0], UTC)
    year, month, day = (*parts, 1, 1)[:3]
    return datetime(year, month, day, tzinfo=UTC)
