"""LaMP (arXiv 2304.11406): a folder's ``questions.json`` and ``outputs.json``, user by user.

Read in the layout in which its authors publish it: a list of questions ``{id, input, profile}``,
and ``{task, golds: [{id, output}]}``. Which task it is shows in the items of the profiles: movie
tagging (LaMP-2M), news categorisation (LaMP-2N) or product rating (LaMP-3).
"""

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from personaagent.core.errors import DataError
from personaagent.core.records import Episode

Json = Mapping[str, Any]


class Layout(NamedTuple):
    """Where an item of a profile has its label and its text, and what a question says before it."""

    label: str
    text: str
    before: str


LAYOUTS = (
    Layout("tag", "description", "description:"),
    Layout("category", "text", "article:"),
    Layout("score", "text", "review:"),
)


class Question(NamedTuple):
    """A question to be answered, and what the user wanted."""

    id: str
    query: str
    gold: str


class Item(NamedTuple):
    """An item of a profile as the question that would have asked for it; seconds, 0 if undated."""

    date: float
    query: str
    label: str


@dataclass(frozen=True)
class LampUser:
    """One user: labelled episodes, oldest first, and later questions that are not among them."""

    user_id: str
    task: str
    history: list[Episode]
    tests: list[Question]


def data_folder() -> Path:
    """Where the tasks' folders are: ``lamp`` below PERSONAAGENT_DATA (default ../shared/data)."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    return Path(os.environ.get("PERSONAAGENT_DATA", beside)) / "lamp"


def load(folder: Path, most_tests: int = 2) -> list[LampUser]:
    """The users of a task, in the order of the file.

    Questions of one ``user_id`` belong together (without it each has a user of its own), and the
    latest ``most_tests`` of them are the tests. The history is every item of the profiles but
    the tests themselves and what is dated after the first of them. Dates are Unix seconds; items
    without one stand in the order of the file.

    Raises:
        DataError: the folder is not there, or holds no task of these.
    """
    try:
        questions = json.loads((folder / "questions.json").read_text("utf-8"))
        outputs = json.loads((folder / "outputs.json").read_text("utf-8"))
    except OSError as error:
        raise DataError(
            f"{error.filename} cannot be read ({error.strerror}): "
            "set PERSONAAGENT_DATA to the folder that holds lamp/."
        ) from error
    golds = {gold["id"]: str(gold["output"]) for gold in outputs["golds"]}
    by_user: dict[str, list[Json]] = defaultdict(list)
    for question in questions:
        by_user[question.get("user_id", question["id"])].append(question)
    return [
        _user(user_id, outputs["task"], asked, golds, most_tests)
        for user_id, asked in by_user.items()
    ]


def _user(
    user_id: str, task: str, asked: list[Json], golds: Mapping[str, str], most_tests: int
) -> LampUser:
    latest = sorted(asked, key=_date)[-most_tests:]
    tests = [Question(each["id"], each["input"], golds[each["id"]]) for each in latest]
    queries, begin = {test.query for test in tests}, _date(latest[0])
    items = dict.fromkeys(item for question in asked for item in _items(question))
    known = sorted(
        (item for item in items if item.query not in queries and item.date <= begin),
        key=lambda item: item.date,
    )
    history = [
        Episode(
            id=f"{task}-{number}",
            user_id=user_id,
            query=item.query,
            response="",
            ground_truth=item.label,
            task=task,
            created_at=datetime.fromtimestamp(item.date or number, UTC),
            source="lamp",
        )
        for number, item in enumerate(known, 1)
    ]
    return LampUser(user_id, task, history, tests)


def _date(question: Json) -> float:
    return float(question.get("date", inf))


def _items(question: Json) -> Iterator[Item]:
    """The profile of a question; one that several questions share has equal items in each."""
    for item in question["profile"]:
        layout = _layout(item)
        instruction, found, _ = question["input"].partition(layout.before)
        if not found:
            raise DataError(f"Question {question['id']} does not say {layout.before!r}.")
        query = f"{instruction}{layout.before} {item[layout.text]}"
        yield Item(float(item.get("date", 0)), query, str(item[layout.label]))


def _layout(item: Iterable[str]) -> Layout:
    """The layout whose fields ``item`` has."""
    keys = set(item)
    for layout in LAYOUTS:
        if keys >= {layout.label, layout.text}:
            return layout
    raise DataError(f"Items with {sorted(keys)} are of no LaMP task known here.")
