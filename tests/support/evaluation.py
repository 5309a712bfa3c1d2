"""A task and a solver for tests of the executor: riddles, and a solver that answers by a function."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from personaagent.core.decision import Decision
from personaagent.core.records import Episode, RoleUsage, Usage
from personaagent.eval.executor import execute_plan
from personaagent.eval.metrics.protocol import Metric
from personaagent.eval.metrics.scores import Mean
from personaagent.eval.query_draw import describe_draw, draw_queries
from personaagent.eval.results import RESULTS_FILE, Result
from personaagent.eval.run_plan import RunPlan, RunProgress, read_progress
from personaagent.eval.run_record import EvalOptions, MadeWith
from personaagent.eval.samples import Query, Sample, SolverOutput, TrainingResult
from personaagent.eval.solvers.environment import EvalEnvironment
from personaagent.eval.tasks.protocol import Score
from personaagent.models.chat import Models

CALL_USAGE = Usage(by_role={"actor": RoleUsage(llm_calls=1, input_tokens=10, output_tokens=2)})


@dataclass
class Riddles:
    """``count`` samples with ``queries`` queries each; "yes" is right. ``made`` counts the samples."""

    count: int = 3
    queries: int = 2
    with_options: bool = False
    name: str = "riddles"
    labels: Sequence[str] = ()
    answers: bool = True
    made: int = 0
    history: Sequence[Episode] = ()
    metrics: Sequence[Metric] = (Mean("accuracy", "correct"),)

    def samples(self, data: Path, seed: int) -> Iterator[Sample]:
        for number in range(self.count):
            self.made += 1
            yield Sample(
                id=f"c{number}",
                task=self.name,
                user_id=f"user{number}",
                history=[*self.history],
                queries=[self._query(number, place) for place in range(self.queries)],
            )

    def _query(self, sample: int, place: int) -> Query:
        query = Query(id=f"q{place}", text=f"riddle {sample}.{place}", gold="yes")
        if not self.with_options:
            return query
        swapped = Query(id=query.id, text="swapped", gold="yes", options=["no", "yes"])
        return query.model_copy(update={"options": ["yes", "no"], "swapped": swapped})

    def read(self, query: Query, text: str) -> str | None:
        return text if text in ("yes", "no") else None

    async def score(
        self, sample: Sample, query: Query, output: SolverOutput, models: Models
    ) -> Score:
        read = self.read(query, output.text or "")
        return Score(read=read, scores={"correct": float(read == query.gold)})


@dataclass
class ScriptedSolver:
    """Answers by a function of the query; counts what is prepared and answered at once."""

    reply: Callable[[str], str] = lambda query: "yes"
    name: str = "scripted"
    uses_model: bool = True
    prepare_recall: None = None
    training_result: TrainingResult | None = None
    decision: Decision | None = None
    asked: list[str] = field(default_factory=list)
    prepared: list[str] = field(default_factory=list)
    open: int = 0
    most_open: int = 0
    asking: int = 0
    most_asking: int = 0

    @asynccontextmanager
    async def prepare(
        self, sample: Sample, environment: EvalEnvironment
    ) -> AsyncIterator["ScriptedSolver"]:
        self.prepared.append(sample.id)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            yield self
        finally:
            self.open -= 1

    async def answer(self, query: Query) -> SolverOutput:
        self.asking += 1
        self.most_asking = max(self.most_asking, self.asking)
        try:
            for _ in range(5):  # let others run in between
                await asyncio.sleep(0)
            self.asked.append(query.text)
            prompt = [{"role": "user", "content": query.text}]
            return SolverOutput(
                text=self.reply(query.text),
                usage=CALL_USAGE,
                messages=prompt,
                decision=self.decision,
            )
        finally:
            self.asking -= 1


def plan_of(task: Riddles, *solvers: ScriptedSolver) -> RunPlan:
    """All queries of the task for these solvers."""
    queries = draw_queries(task.samples(Path(), 0), None, None, 0)
    return RunPlan([task], list(solvers), {task.name: queries}, Path(), 0)


async def run_plan(
    plan: RunPlan, folder: Path, *, concurrency: int = 4, retry_failed: bool = False, **more: Any
) -> RunProgress:
    """Run what is left of the plan in ``folder``, without any model."""
    progress = read_progress(folder, plan, retry_failed=retry_failed)
    environment = cast(EvalEnvironment, NoModels())
    await execute_plan(plan, environment, folder, progress, concurrency=concurrency, **more)
    return progress


class NoModels:
    """Stands for an environment; it has no models."""

    models = None


def results_in(folder: Path) -> list[Result]:
    """Every result that was written, in order."""
    lines = (folder / RESULTS_FILE).read_text().splitlines()
    return [Result.model_validate_json(line) for line in lines]


def made_with(plan: RunPlan, **options: Any) -> MadeWith:
    """What a run of the plan is made with, by a model of unknown price."""
    return MadeWith(
        options=EvalOptions(
            tasks=[task.name for task in plan.tasks],
            methods=[solver.name for solver in plan.solvers],
            **options,
        ),
        drawn={task: describe_draw(queries) for task, queries in plan.queries.items()},
        models=dict.fromkeys(("actor", "critic", "editor"), "scripted"),
        prompts={},
        settings={"top_k": 8},
    )
