"""A task and a method for tests of the runner: riddles, and one who answers them as told."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from personaagent.core.records import RoleUsage, Usage
from personaagent.eval.metrics.protocol import Metric
from personaagent.eval.metrics.scores import Mean
from personaagent.eval.plan import Plan, Progress, progress_of
from personaagent.eval.results import SAMPLES, Result
from personaagent.eval.run_record import MadeWith, Options
from personaagent.eval.runner import evaluate
from personaagent.eval.samples import Answered, Query, Sample, TrainingResult
from personaagent.eval.sampling import draw, drawn
from personaagent.eval.solvers.environment import EvalEnvironment
from personaagent.eval.tasks.protocol import Scored
from personaagent.models.chat import Models

USED = Usage(by_role={"actor": RoleUsage(llm_calls=1, input_tokens=10, output_tokens=2)})


@dataclass
class Riddles:
    """So many cases with so many questions each; right is "yes". ``made`` counts the cases."""

    cases_: int = 3
    questions: int = 2
    turned: bool = False
    name: str = "riddles"
    labels: Sequence[str] = ()
    answers: bool = True
    made: int = 0
    metrics: Sequence[Metric] = (Mean("accuracy", "correct"),)

    def cases(self, data: Path, seed: int) -> Iterator[Sample]:
        for number in range(self.cases_):
            self.made += 1
            asked = [
                Query(
                    id=f"q{each}",
                    query=f"riddle {number}.{each}",
                    gold="yes",
                    options=["yes", "no"] if self.turned else [],
                    turned=Query(id=f"q{each}", query="turned", options=["no", "yes"])
                    if self.turned
                    else None,
                )
                for each in range(self.questions)
            ]
            yield Sample(
                id=f"c{number}",
                task=self.name,
                user_id=f"user{number}",
                history=[],
                questions=asked,
            )

    def read(self, question: Query, text: str) -> str | None:
        return text if text in ("yes", "no") else None

    async def score(
        self, case: Sample, question: Query, answered: Answered, models: Models
    ) -> Scored:
        read = self.read(question, answered.text or "")
        return Scored(read=read, scores={"correct": float(read == question.gold)})


@dataclass
class Scripted:
    """Answers by a function of the query; notes what is open and asked at once."""

    says: Callable[[str], str] = lambda query: "yes"
    name: str = "scripted"
    asks: bool = True
    recalls: None = None
    learned: TrainingResult | None = None
    asked: list[str] = field(default_factory=list)
    prepared: list[str] = field(default_factory=list)
    open: int = 0
    most_open: int = 0
    asking: int = 0
    most_asking: int = 0

    @asynccontextmanager
    async def ready(self, case: Sample, lab: EvalEnvironment) -> AsyncIterator["Scripted"]:
        self.prepared.append(case.id)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            yield self
        finally:
            self.open -= 1

    async def answer(self, question: Query) -> Answered:
        self.asking += 1
        self.most_asking = max(self.most_asking, self.asking)
        try:
            for _ in range(5):  # let others come in between
                await asyncio.sleep(0)
            self.asked.append(question.query)
            told = [{"role": "user", "content": question.query}]
            return Answered(text=self.says(question.query), usage=USED, told=told)
        finally:
            self.asking -= 1


def plan_of(task: Riddles, *methods: Scripted) -> Plan:
    """All of the task's questions for these methods."""
    asked = draw(task.cases(Path(), 0), None, None, 0)
    return Plan([task], list(methods), {task.name: asked}, Path(), 0)


async def run_plan(
    plan: Plan, folder: Path, *, concurrency: int = 4, retry_failed: bool = False, **more: Any
) -> Progress:
    """Run what is left of it in ``folder``; no model is there."""
    progress = progress_of(folder, plan, retry_failed=retry_failed)
    lab = cast(EvalEnvironment, NoModels())
    await evaluate(plan, lab, folder, progress, concurrency=concurrency, **more)
    return progress


class NoModels:
    """In place of a lab."""

    models = None


def samples_in(folder: Path) -> list[Result]:
    """Every sample that was written, in order."""
    lines = (folder / SAMPLES).read_text().splitlines()
    return [Result.model_validate_json(line) for line in lines]


def made_of(plan: Plan, **options: Any) -> MadeWith:
    """What a run of the plan is made with, by a model of no known price."""
    return MadeWith(
        options=Options(
            tasks=[task.name for task in plan.tasks],
            methods=[method.name for method in plan.methods],
            **options,
        ),
        drawn={name: drawn(asked) for name, asked in plan.asked.items()},
        models=dict.fromkeys(("actor", "critic", "editor"), "scripted"),
        prompts={},
        settings={"top_k": 8},
    )
