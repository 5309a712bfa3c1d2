"""What a run has to do, and how far it has come."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from personaagent.core.records import Episode
from personaagent.eval.jsonl import read_records
from personaagent.eval.query_draw import DrawnQuery
from personaagent.eval.results import RESULTS_FILE, Result, ResultKey
from personaagent.eval.samples import Query, Sample
from personaagent.eval.solvers.environment import EvalEnvironment
from personaagent.eval.solvers.protocol import Answerer, Solver, can_solve
from personaagent.eval.tasks.protocol import Task


@dataclass(frozen=True)
class RunPlan:
    """What is to be run. ``queries`` are those drawn, by task; the rest as in ``EvalOptions``."""

    tasks: Sequence[Task]
    solvers: Sequence[Solver]
    queries: dict[str, list[DrawnQuery]]
    data: Path
    seed: int
    history: int | None = None
    labels: int | None = None

    def total(self) -> int:
        """How many results the whole run has."""
        return sum(
            len(self.solvers_for(task)) * len(self.queries[task.name]) for task in self.tasks
        )

    def solvers_for(self, task: Task) -> list[Solver]:
        """The solvers that can solve the task."""
        return [solver for solver in self.solvers if can_solve(solver, task)]

    def work_items(self, done: Collection[ResultKey]) -> Iterator["WorkItem"]:
        """What is left to do: sample by sample, and each sample with every solver in turn."""
        for drawn in self.samples():
            yield from self.items_of(drawn, done)

    def sample_count(self) -> int:
        """How many samples queries are drawn of."""
        return sum(len({query.sample_id for query in drawn}) for drawn in self.queries.values())

    def samples(self) -> Iterator["DrawnSample"]:
        """The samples that queries are drawn of, always in the same order."""
        for task in self.tasks:
            drawn = {(query.sample_id, query.query_id) for query in self.queries[task.name]}
            for sample in task.samples(self.data, self.seed):
                queries = [query for query in sample.queries if (sample.id, query.id) in drawn]
                if queries:
                    yield DrawnSample(task, sample, queries)

    def items_of(self, drawn: "DrawnSample", done: Collection[ResultKey]) -> Iterator["WorkItem"]:
        """What is left to do of a sample."""
        task, sample, queries = drawn
        for solver in self.solvers_for(task):
            remaining = [
                query
                for query in queries
                if ResultKey(task.name, solver.name, sample.id, query.id) not in done
            ]
            if remaining:
                yield WorkItem(task, solver, self._with_newest_history(sample), remaining)

    def _with_newest_history(self, sample: Sample) -> Sample:
        history = _newest_labels(sample.history, self.labels)
        if self.history is not None:
            history = history[len(history) - min(self.history, len(history)) :]
        return sample.model_copy(update={"history": history})


def _newest_labels(history: list[Episode], labels: int | None) -> list[Episode]:
    """The history of a person who began ``labels`` labels ago; all of it if they have no more."""
    labelled = [place for place, episode in enumerate(history) if episode.labelled]
    if labels is None or len(labelled) <= labels:
        return history
    before_first = labelled[len(labelled) - labels - 1]
    return history[before_first + 1 :]


class DrawnSample(NamedTuple):
    """A sample, and its queries that are drawn."""

    task: Task
    sample: Sample
    queries: Sequence[Query]


@dataclass(frozen=True)
class WorkItem:
    """One sample for one solver, and the queries that are left of it."""

    task: Task
    solver: Solver
    sample: Sample
    queries: Sequence[Query]

    def prepare(self, environment: EvalEnvironment) -> AbstractAsyncContextManager[Answerer]:
        """Prepare the solver for the queries."""
        if self.task.answers or self.solver.prepare_recall is None:
            return self.solver.prepare(self.sample, environment)
        return self.solver.prepare_recall(self.sample, environment)


@dataclass
class RunProgress:
    """How far a run is. ``finished_before`` holds the results of earlier sessions, not run again."""

    total: int
    finished_before: frozenset[ResultKey] = frozenset()
    done: int = 0
    failed: int = 0

    @property
    def left(self) -> int:
        """How many results are still missing."""
        return self.total - self.done

    def add(self, result: Result) -> None:
        """Count a new result."""
        self.done += 1
        self.failed += result.failed is not None


def read_progress(folder: Path, plan: RunPlan, *, retry_failed: bool) -> RunProgress:
    """How far the run in ``folder`` is; with ``retry_failed``, failed results count as missing.

    Raises:
        DataError: a result cannot be read.
    """
    failed = {
        result.key: result.failed is not None
        for result in read_records(folder / RESULTS_FILE, Result)
    }
    finished = frozenset(key for key in failed if not (retry_failed and failed[key]))
    return RunProgress(plan.total(), finished, len(finished), sum(failed[key] for key in finished))
