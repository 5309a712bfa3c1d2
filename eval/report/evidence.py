"""What stands behind the figures: personas before and after, regressions, and failures."""

from collections import Counter
from collections.abc import Mapping
from difflib import ndiff
from pathlib import Path
from typing import Any, Literal

from personaagent.core.alignment import Alignment
from personaagent.core.records import Record
from personaagent.eval.jsonl import read_lines
from personaagent.eval.learning_stats import losses
from personaagent.eval.metrics.protocol import Metric
from personaagent.eval.result_index import Place, ResultIndex, index_results, lessons_of
from personaagent.eval.results import SAMPLES, Result
from personaagent.eval.summary import Summary
from personaagent.eval.tasks.protocol import Task

OURS = "persona"
MOST_CHANGES = 6
MOST_REGRESSIONS = 5
MOST_FAILURES = 10


class ChangedLine(Record):
    """A line of a persona: kept, new, or gone."""

    kind: Literal["same", "new", "gone"]
    text: str


class Change(Record):
    """A persona before and after an alignment that was published, and its losses."""

    task: str
    method: str
    case: str
    loss_before: float | None
    loss_after: float | None
    lines: list[ChangedLine]


class Told(Record):
    """One message that the model was told."""

    role: str
    content: str


class Answer(Record):
    """What one method answered, how that was read, its first metric, and what it was told."""

    method: str
    text: str
    read: str | None
    score: float
    persona_version: int | None
    told: list[Told]


class Regression(Record):
    """A question on which ours did worse than the rival."""

    task: str
    case: str
    question: str
    query: str
    gold: str
    ours: Answer
    theirs: Answer


class Failure(Record):
    """A sentence of what went wrong, and how often."""

    task: str
    method: str
    count: int
    sentence: str


class Evidence(Record):
    """All of it. ``regressed`` and ``improved`` count the questions by task."""

    changes: list[Change]
    regressions: list[Regression]
    regressed: dict[str, int]
    improved: dict[str, int]
    failures: list[Failure]


def gather(summary: Summary, folder: Path, tasks: Mapping[str, Task]) -> Evidence:
    """The evidence in ``folder`` of the run that ``summary`` is of.

    Raises:
        DataError: the files cannot be read.
    """
    kept = index_results(folder)
    worse: dict[tuple[str, Place], str] = {}
    regressed, improved = {}, {}
    for name, task in summary.tasks.items():
        rival = task.rival
        if rival is None or rival == OURS or (name, OURS) not in kept:
            continue
        gains = _gains(tasks[name].metrics[0], kept[name, OURS], kept[name, rival])
        lost = sorted((place for place in gains if gains[place] < 0), key=gains.__getitem__)
        regressed[name], improved[name] = len(lost), sum(gain > 0 for gain in gains.values())
        worse |= {(name, place): rival for place in lost[:MOST_REGRESSIONS]}
    traced: dict[tuple[str, Place], dict[str, Result]] = {key: {} for key in worse}
    failed: dict[tuple[str, Place, str], str] = {}
    for sample in read_lines(folder / SAMPLES, Result):
        key = (sample.task, (sample.case, sample.question))
        if key in worse and sample.method in (OURS, worse[key]):
            traced[key][sample.method] = sample
        failed.pop((*key, sample.method), None)
        if sample.failed:
            failed[*key, sample.method] = sample.failed
    counted = Counter((task, method, why) for (task, _, method), why in failed.items())
    return Evidence(
        changes=_changes(folder),
        regressions=[
            _regression(
                tasks[task].metrics[0], traced[task, place][OURS], traced[task, place][rival]
            )
            for (task, place), rival in worse.items()
        ],
        regressed=regressed,
        improved=improved,
        failures=[
            Failure(task=task, method=method, count=count, sentence=why)
            for (task, method, why), count in counted.most_common(MOST_FAILURES)
        ],
    )


def _gains(
    metric: Metric, ours: Mapping[Place, ResultIndex], theirs: Mapping[Place, ResultIndex]
) -> dict[Place, float]:
    """How much better ours did on each question that both answered."""
    sign = 1 if metric.higher else -1
    return {
        place: sign * (metric.over([each.outcome]) - metric.over([theirs[place].outcome]))
        for place, each in ours.items()
        if place in theirs and not each.failed and not theirs[place].failed
    }


def _regression(metric: Metric, ours: Result, theirs: Result) -> Regression:
    return Regression(
        task=ours.task,
        case=ours.case,
        question=ours.question,
        query=ours.query,
        gold=ours.gold,
        ours=_answer(metric, ours),
        theirs=_answer(metric, theirs),
    )


def _answer(metric: Metric, sample: Result) -> Answer:
    outcome = ResultIndex.of(sample).outcome
    return Answer(
        method=sample.method,
        text=sample.text or "",
        read=sample.read,
        score=metric.over([outcome]),
        persona_version=sample.persona_version,
        told=[Told(role=str(each.get("role", "")), content=_text(each)) for each in sample.told],
    )


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else str(content or "")


def _changes(folder: Path) -> list[Change]:
    """The published personas, those that gained most first, each method in its turn."""
    found = []
    for lessons in lessons_of(folder).values():
        own = []
        for lesson in lessons.values():
            learned = lesson.learned
            run = Alignment.model_validate(learned.alignment) if learned.alignment else None
            if run is None or run.to_version == run.from_version:
                continue
            before, after = losses(run) or (None, None)
            own.append(
                Change(
                    task=lesson.task,
                    method=lesson.method,
                    case=lesson.case,
                    loss_before=before,
                    loss_after=after,
                    lines=_lines(learned.before, learned.after),
                )
            )
        found += sorted(own, key=_gain, reverse=True)[:MOST_CHANGES]
    return found


def _gain(change: Change) -> float:
    return (change.loss_before or 0) - (change.loss_after or 0)


def _lines(before: str, after: str) -> list[ChangedLine]:
    kinds: dict[str, Literal["same", "new", "gone"]] = {" ": "same", "+": "new", "-": "gone"}
    return [
        ChangedLine(kind=kinds[line[0]], text=line[2:])
        for line in ndiff(before.splitlines(), after.splitlines())
        if line[0] in kinds
    ]
