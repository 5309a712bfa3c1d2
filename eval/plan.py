"""What a run is to do, and how far it is."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from personaagent.eval.jsonl import read_lines
from personaagent.eval.results import SAMPLES, Key, Result
from personaagent.eval.samples import Query, Sample
from personaagent.eval.sampling import Asked
from personaagent.eval.solvers.environment import EvalEnvironment
from personaagent.eval.solvers.protocol import Answerer, Solver, fits
from personaagent.eval.tasks.protocol import Task


@dataclass(frozen=True)
class Plan:
    """What is to be run. ``asked`` are the questions by task; ``history`` as in ``Options``."""

    tasks: Sequence[Task]
    methods: Sequence[Solver]
    asked: dict[str, list[Asked]]
    data: Path
    seed: int
    history: int | None = None

    def total(self) -> int:
        """How many samples there are."""
        return sum(len(self.methods_on(task)) * len(self.asked[task.name]) for task in self.tasks)

    def methods_on(self, task: Task) -> list[Solver]:
        """The methods that can do the task."""
        return [each for each in self.methods if fits(each, task)]

    def works(self, done: Collection[Key]) -> Iterator["Work"]:
        """What is left to do but for ``done``, case by case, each with all methods in turn."""
        for task in self.tasks:
            wanted = {(each.case, each.question) for each in self.asked[task.name]}
            for case in task.cases(self.data, self.seed):
                asked = [each for each in case.questions if (case.id, each.id) in wanted]
                for method in self.methods_on(task):
                    left = [
                        each
                        for each in asked
                        if Key(task.name, method.name, case.id, each.id) not in done
                    ]
                    if left:
                        yield Work(task, method, self._cut(case), left)

    def _cut(self, case: Sample) -> Sample:
        if self.history is None:
            return case
        newest = case.history[len(case.history) - self.history :] if self.history else []
        return case.model_copy(update={"history": newest})


@dataclass(frozen=True)
class Work:
    """One case for one method, and those of its questions that are left."""

    task: Task
    method: Solver
    case: Sample
    questions: Sequence[Query]

    def ready(self, lab: EvalEnvironment) -> AbstractAsyncContextManager[Answerer]:
        """The method, ready for the questions."""
        if self.task.answers or self.method.recalls is None:
            return self.method.ready(self.case, lab)
        return self.method.recalls(self.case, lab)


@dataclass
class Progress:
    """How far a run is. ``before`` is what earlier sessions have done, and will not be done again."""

    total: int
    before: frozenset[Key] = frozenset()
    done: int = 0
    failed: int = 0

    @property
    def left(self) -> int:
        """How many samples are still to be run."""
        return self.total - self.done

    def add(self, sample: Result) -> None:
        """Count one that was not done before."""
        self.done += 1
        self.failed += sample.failed is not None


def progress_of(folder: Path, plan: Plan, *, retry_failed: bool) -> Progress:
    """How far the run in ``folder`` is; with ``retry_failed`` what failed is still to be done."""
    failed = {
        sample.key: sample.failed is not None for sample in read_lines(folder / SAMPLES, Result)
    }
    before = frozenset(key for key in failed if not (retry_failed and failed[key]))
    return Progress(plan.total(), before, len(before), sum(failed[key] for key in before))
