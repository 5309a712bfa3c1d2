"""LaMP (arXiv 2304.11406): a folder's ``questions.json`` and ``outputs.json``, as published.

A list of questions ``{id, input, profile}``, with ``user_id`` and ``date`` where the split is by
time, and ``{task, golds: [{id, output}]}``. A question without a user is of a user of its own.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from personaagent.core.errors import DataError
from personaagent.eval.tasks.files import each_of, read_json, readable

PUBLISHED = (
    "LaMP is published at https://lamp-benchmark.github.io/download: save a task's "
    "dev_questions.json and dev_outputs.json as lamp/<task>/questions.json and outputs.json "
    "in the folder that --data or PERSONAAGENT_DATA names."
)

Json = Mapping[str, Any]


class Item(NamedTuple):
    """An item of a profile: its fields, and when it was written, None if that is not known."""

    fields: Json
    date: datetime | None


class Asked(NamedTuple):
    """A question as published, with its answer; ``profile`` is what came before it, oldest first."""

    id: str
    user_id: str
    input: str
    gold: str
    date: datetime | None
    profile: list[Item]


def asked_in(folder: Path) -> Iterator[Asked]:
    """The questions of a task's folder, in the order of the file, one at a time.

    Raises:
        DataError: a file is missing or in another layout.
    """
    outputs, questions = folder / "outputs.json", folder / "questions.json"
    golds = read_json(outputs, PUBLISHED)
    with readable(outputs, PUBLISHED):
        gold_of = {str(gold["id"]): str(gold["output"]).strip() for gold in golds["golds"]}
    for question in each_of(questions, PUBLISHED):
        with readable(questions, PUBLISHED):
            asked = _asked(question, gold_of)
        yield asked


def _asked(question: Json, gold_of: Mapping[str, str]) -> Asked:
    name, date = str(question["id"]), _date(question.get("date"))
    if name not in gold_of:
        raise DataError(f"Question {name} has no answer in outputs.json. {PUBLISHED}")
    items = [Item(fields, _date(fields.get("date"))) for fields in question["profile"]]
    before = [item for item in items if not (date and item.date) or item.date < date]
    return Asked(
        id=name,
        user_id=str(question.get("user_id", name)),
        input=question["input"],
        gold=gold_of[name],
        date=date,
        profile=sorted(before, key=lambda item: item.date or datetime.min.replace(tzinfo=UTC)),
    )


def _date(date: Any) -> datetime | None:
    """Unix seconds, or a year, month and day joined by dashes, of which the later may be missing."""
    if date is None:
        return None
    parts = [int(float(part)) for part in str(date).split("-")]
    if len(parts) == 1 and parts[0] > datetime.max.year:
        return datetime.fromtimestamp(parts[0], UTC)
    year, month, day = (*parts, 1, 1)[:3]
    return datetime(year, month, day, tzinfo=UTC)
