"""The table of a run: what each method scored on each task, how sure that is, and what it took."""

from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from statistics import fmean
from typing import Any

from personaagent.core.records import Record, RoleUsage, Usage
from personaagent.eval.estimate import Difference, Estimate, compare, interval
from personaagent.eval.learning import Learning, learning
from personaagent.eval.lines import read_lines
from personaagent.eval.methods.all import BASELINES
from personaagent.eval.metrics.protocol import Metric, Outcome
from personaagent.eval.prices import Prices
from personaagent.eval.run_record import MadeWith, read_run
from personaagent.eval.samples import LEARNED, SAMPLES, Key, Lesson, Sample
from personaagent.eval.tasks.protocol import Task


class Against(Record):
    """One method less another, on the questions that both answered."""

    questions: int
    metrics: dict[str, Difference]


class MethodSummary(Record):
    """One method on one task.

    ``answered`` of the questions have an answer, ``failed`` have none. Shares are of the answered:
    ``unparsable`` could not be read, ``agreement`` is of answers that stayed the same when the
    options came in the opposite order (None: not asked so). ``seconds`` and ``price`` are of a
    question, as is ``usage``; learning and judging are apart. ``price`` is None where not known.
    """

    answered: int
    failed: int
    metrics: dict[str, Estimate]
    against: dict[str, Against]
    unparsable: float | None
    agreement: float | None
    seconds: float | None
    usage: dict[str, Any]
    price: float | None
    judge: dict[str, Any]
    learning: Learning | None


class Column(Record):
    """A metric of a task; ``higher`` says whether more is better."""

    name: str
    higher: bool


class TaskSummary(Record):
    """One task: over how many users and questions, its metrics, and each method."""

    users: int
    questions: int
    metrics: list[Column]
    methods: dict[str, MethodSummary]

    def best_baseline(self) -> str | None:
        """The baseline with the best first metric."""
        first = self.metrics[0]
        scored = {
            name: method.metrics[first.name].mean
            for name, method in self.methods.items()
            if name in BASELINES and first.name in method.metrics
        }
        sign = 1 if first.higher else -1
        return max(scored, key=lambda name: sign * scored[name]) if scored else None


class Summary(Record):
    """The whole run. ``made_with`` is that of ``run.json``; ``complete``: nothing is left to run."""

    made_with: MadeWith
    commit: str | None
    tasks: dict[str, TaskSummary]
    price: float | None
    done: int
    total: int

    @property
    def complete(self) -> bool:
        """Whether no sample is left to be run."""
        return self.done == self.total


class Kept(Record):
    """What the table needs of a sample."""

    user_id: str
    gold: str
    read: str | None
    scores: dict[str, float]
    failed: bool
    agrees: bool | None
    usage: Usage
    beside: Usage
    judge: Usage
    seconds: float

    @property
    def outcome(self) -> Outcome:
        """It, for a metric."""
        return Outcome(self.user_id, self.gold, self.read, self.scores)


def summarise(
    folder: Path, tasks: Mapping[str, Task], prices: Prices, against: str | None = None
) -> Summary:
    """The table of the run in ``folder``, as far as it is; ``against`` is one more to compare with.

    Raises:
        DataError: the folder holds no run that can be read.
    """
    record = read_run(folder)
    made = record.made_with
    kept: dict[str, dict[str, dict[Key, Kept]]] = {
        task: {method: {} for method in made.options.methods} for task in made.options.tasks
    }
    for sample in read_lines(folder / SAMPLES, Sample):
        kept[sample.task][sample.method][sample.key] = _kept(sample)
    lessons: dict[tuple[str, str], dict[str, Lesson]] = {}
    for lesson in read_lines(folder / LEARNED, Lesson):
        lessons.setdefault((lesson.task, lesson.method), {})[lesson.case] = lesson
    spent = Usage()
    summaries = {}
    for name, by_method in kept.items():
        by_method = {method: samples for method, samples in by_method.items() if samples}
        taught = {
            method: [*lessons.get((name, method), {}).values()] for method in by_method
        }
        for samples in by_method.values():
            for each in samples.values():
                spent += each.usage + each.beside + each.judge
        for each_lesson in (lesson for group in taught.values() for lesson in group):
            spent += each_lesson.learned.usage
        summaries[name] = _task(tasks[name], by_method, taught, made, prices, against)
    return Summary(
        made_with=made,
        commit=record.sessions[-1].commit,
        tasks=summaries,
        price=prices.of(spent, made.models),
        done=sum(len(samples) for by_method in kept.values() for samples in by_method.values()),
        total=sum(
            made.drawn[task].questions * len(_runnable(tasks[task], made.options.methods))
            for task in made.options.tasks
        ),
    )


def _runnable(task: Task, names: Sequence[str]) -> list[str]:
    from personaagent.eval.methods.all import METHODS

    return [name for name in names if task.answers or METHODS[name].recalls is not None]


def _kept(sample: Sample) -> Kept:
    turned = sample.turned
    agrees = None if turned is None else sample.read is not None and sample.read == turned.read
    return Kept(
        user_id=sample.user_id,
        gold=sample.gold,
        read=sample.read,
        scores=sample.scores,
        failed=sample.failed is not None,
        agrees=agrees,
        usage=sample.usage,
        beside=turned.usage if turned else Usage(),
        judge=sample.judge,
        seconds=sample.seconds,
    )


def _task(
    task: Task,
    by_method: Mapping[str, Mapping[Key, Kept]],
    taught: Mapping[str, Sequence[Lesson]],
    made: MadeWith,
    prices: Prices,
    against: str | None,
) -> TaskSummary:
    answers = {
        method: {
            (key.case, key.question): each for key, each in samples.items() if not each.failed
        }
        for method, samples in by_method.items()
    }
    rivals = [name for name in answers if name in BASELINES or name == against]
    drawn = made.drawn[task.name]
    return TaskSummary(
        users=drawn.users,
        questions=drawn.questions,
        metrics=[Column(name=each.name, higher=each.higher) for each in task.metrics],
        methods={
            method: _method(task, [*samples.values()], taught[method], made, prices).model_copy(
                update={
                    "against": {
                        rival: _against(task.metrics, answers[method], answers[rival])
                        for rival in rivals
                        if rival != method and answers[method].keys() & answers[rival].keys()
                    }
                }
            )
            for method, samples in by_method.items()
        },
    )


def _method(
    task: Task,
    samples: Sequence[Kept],
    lessons: Sequence[Lesson],
    made: MadeWith,
    prices: Prices,
) -> MethodSummary:
    answered = [each for each in samples if not each.failed]
    outcomes = [each.outcome for each in answered]
    turned = [each.agrees for each in answered if each.agrees is not None]
    usage = sum((each.usage for each in answered), Usage())
    price = prices.of(usage, made.models)
    return MethodSummary(
        answered=len(answered),
        failed=len(samples) - len(answered),
        metrics=_estimates(task.metrics, outcomes),
        against={},
        unparsable=_share([each.read is None for each in answered]) if task.answers else None,
        agreement=_share(turned),
        seconds=fmean(each.seconds for each in answered) if answered else None,
        usage=_each(usage, len(answered)),
        price=price / len(answered) if answered and price is not None else None,
        judge=_each(sum((each.judge for each in answered), Usage()), len(answered)),
        learning=learning([lesson.learned for lesson in lessons]) if lessons else None,
    )


def _estimates(metrics: Sequence[Metric], outcomes: Sequence[Outcome]) -> dict[str, Estimate]:
    """Each metric that any of the outcomes has."""
    if not outcomes:
        return {}
    found = {metric.name: interval(metric, outcomes) for metric in metrics}
    return {name: each for name, each in found.items() if not isnan(each.mean)}


def _against(
    metrics: Sequence[Metric],
    ours: Mapping[tuple[str, str], Kept],
    theirs: Mapping[tuple[str, str], Kept],
) -> Against:
    both = [key for key in ours if key in theirs]
    found = {
        metric.name: compare(
            metric,
            [ours[key].outcome for key in both],
            [theirs[key].outcome for key in both],
        )
        for metric in metrics
    }
    return Against(
        questions=len(both),
        metrics={name: each for name, each in found.items() if not isnan(each.mean)},
    )


def _share(found: Sequence[bool]) -> float | None:
    return fmean(found) if found else None


def _each(usage: Usage, count: int) -> dict[str, Any]:
    """Calls and tokens of one of ``count``, in all and by role."""

    def mean(spent: RoleUsage) -> dict[str, float]:
        return {name: value / max(count, 1) for name, value in spent.stored().items()}

    total = sum(usage.by_role.values(), RoleUsage())
    return mean(total) | {"by_role": {role: mean(each) for role, each in usage.by_role.items()}}
