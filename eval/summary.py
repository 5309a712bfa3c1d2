"""The table of a run: what each method scored on each task, how sure that is, and what it took."""

from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from statistics import fmean
from typing import Any

from personaagent.core.records import Record, RoleUsage, Usage
from personaagent.eval.estimate import Difference, compare, interval
from personaagent.eval.learning_stats import Learning, learning
from personaagent.eval.metrics.protocol import Metric, Outcome
from personaagent.eval.prices import Prices
from personaagent.eval.result_index import Place, ResultIndex, index_results, lessons_of
from personaagent.eval.results import TrainingRecord
from personaagent.eval.run_record import MadeWith, read_run
from personaagent.eval.solvers.all import BASELINES, SOLVERS
from personaagent.eval.solvers.protocol import fits
from personaagent.eval.tasks.protocol import Task
from personaagent.scorecard.estimate import Estimate


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
    """One task: over how many users and questions, its metrics, and each method.

    ``rival`` is the method that the others are told against: the baseline with the best first
    metric, or the one that was asked for; None where neither was run.
    """

    users: int
    questions: int
    metrics: list[Column]
    rival: str | None
    methods: dict[str, MethodSummary]


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


def summarise(
    folder: Path, tasks: Mapping[str, Task], prices: Prices, against: str | None = None
) -> Summary:
    """The table of the run in ``folder``, as far as it is.

    ``against`` is the rival, in place of the best baseline.

    Raises:
        DataError: the folder holds no run that can be read.
    """
    record = read_run(folder)
    made = record.made_with
    kept = index_results(folder)
    lessons = lessons_of(folder)
    spent = Usage()
    for samples in kept.values():
        for each in samples.values():
            spent += each.usage + each.beside + each.judge
    for learned in lessons.values():
        for lesson in learned.values():
            spent += lesson.learned.usage
    order = [(task, method) for task in made.options.tasks for method in made.options.methods]
    return Summary(
        made_with=made,
        commit=record.sessions[-1].commit,
        tasks={
            name: _task(
                tasks[name],
                {
                    method: kept[task, method]
                    for task, method in order
                    if task == name and kept.get((task, method))
                },
                {
                    method: [*lessons.get((name, method), {}).values()]
                    for method in made.options.methods
                },
                made,
                prices,
                against,
            )
            for name in made.options.tasks
        },
        price=prices.of(spent, made.models),
        done=sum(map(len, kept.values())),
        total=sum(
            made.drawn[task].questions
            for task, method in order
            if fits(SOLVERS[method], tasks[task])
        ),
    )


def compare_kept(
    metrics: Sequence[Metric],
    ours: Mapping[Place, ResultIndex],
    theirs: Mapping[Place, ResultIndex],
) -> Against:
    """Ours less theirs, on the questions that both answered."""
    both = [
        place
        for place, each in ours.items()
        if place in theirs and not each.failed and not theirs[place].failed
    ]
    found = {
        metric.name: compare(
            metric,
            [ours[place].outcome for place in both],
            [theirs[place].outcome for place in both],
        )
        for metric in (metrics if both else ())
    }
    return Against(
        questions=len(both),
        metrics={name: each for name, each in found.items() if not isnan(each.mean)},
    )


def _task(
    task: Task,
    kept: Mapping[str, Mapping[Place, ResultIndex]],
    lessons: Mapping[str, Sequence[TrainingRecord]],
    made: MadeWith,
    prices: Prices,
    against: str | None,
) -> TaskSummary:
    drawn = made.drawn[task.name]
    rivals = [name for name in kept if name in BASELINES or name == against]
    methods = {}
    for method, samples in kept.items():
        compared = {
            rival: compare_kept(task.metrics, samples, kept[rival])
            for rival in rivals
            if rival != method
        }
        alone = _method(task, [*samples.values()], lessons[method], made, prices)
        methods[method] = alone.model_copy(update={"against": compared})
    return TaskSummary(
        users=drawn.users,
        questions=drawn.questions,
        metrics=[Column(name=each.name, higher=each.higher) for each in task.metrics],
        rival=against if against in methods else _best_baseline(task.metrics[0], methods),
        methods=methods,
    )


def _best_baseline(first: Metric, methods: Mapping[str, MethodSummary]) -> str | None:
    sign = 1 if first.higher else -1
    scored = {
        name: sign * method.metrics[first.name].mean
        for name, method in methods.items()
        if name in BASELINES and first.name in method.metrics
    }
    return max(scored, key=scored.__getitem__) if scored else None


def _method(
    task: Task,
    samples: Sequence[ResultIndex],
    lessons: Sequence[TrainingRecord],
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


def _share(found: Sequence[bool]) -> float | None:
    return fmean(found) if found else None


def _each(usage: Usage, count: int) -> dict[str, Any]:
    """Calls and tokens of one of ``count``, in all and by role."""

    def mean(spent: RoleUsage) -> dict[str, float]:
        return {name: value / max(count, 1) for name, value in spent.stored().items()}

    total = sum(usage.by_role.values(), RoleUsage())
    return mean(total) | {"by_role": {role: mean(each) for role, each in usage.by_role.items()}}
