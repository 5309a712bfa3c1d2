"""Queries on which our solver did worse than its rival, with the prompts of both."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from personaagent.core.records import Record
from personaagent.eval.jsonl import read_records
from personaagent.eval.metrics.protocol import Metric
from personaagent.eval.result_index import (
    IndexedResult,
    QueryKey,
    SolverResults,
    answered_by_both,
)
from personaagent.eval.results import RESULTS_FILE, Result, ResultKey

OUR_SOLVER = "persona"


class PromptMessage(Record):
    """One message of a prompt."""

    role: str
    content: str


class ScoredAnswer(Record):
    """One solver's answer, how the task read it, its first metric, and its prompt."""

    solver: str
    text: str
    read: str | None
    score: float
    persona_version: int | None
    prompt: list[PromptMessage]


class Regression(Record):
    """A query on which our solver did worse than the rival."""

    task: str
    sample_id: str
    query_id: str
    query: str
    gold: str
    ours: ScoredAnswer
    theirs: ScoredAnswer


class TaskGains(NamedTuple):
    """Our solver against the rival on one task: the gain on each query that both answered."""

    task: str
    rival: str
    metric: Metric
    gains: Mapping[QueryKey, float]

    @classmethod
    def of(
        cls, task: str, rival: str, metric: Metric, ours: SolverResults, theirs: SolverResults
    ) -> "TaskGains":
        """The gains by the metric; a positive gain is better."""
        sign = 1 if metric.higher else -1
        gains = {
            key: sign * (metric.over([ours[key].outcome]) - metric.over([theirs[key].outcome]))
            for key in answered_by_both(ours, theirs)
        }
        return cls(task, rival, metric, gains)

    @property
    def improved(self) -> int:
        """How many queries ours did better on."""
        return sum(gain > 0 for gain in self.gains.values())

    @property
    def regressed(self) -> list[QueryKey]:
        """The queries that ours did worse on, the worst first."""
        return sorted(
            (key for key, gain in self.gains.items() if gain < 0), key=self.gains.__getitem__
        )


def find_regressions(
    folder: Path, all_gains: Sequence[TaskGains], max_per_task: int
) -> list[Regression]:
    """The worst regressions of each task, with the prompts from ``folder``.

    Raises:
        DataError: a result cannot be read.
    """
    worst = [
        (gains, query_key) for gains in all_gains for query_key in gains.regressed[:max_per_task]
    ]
    keys = {
        ResultKey(gains.task, solver, *query_key)
        for gains, query_key in worst
        for solver in (OUR_SOLVER, gains.rival)
    }
    results = {
        result.key: result
        for result in read_records(folder / RESULTS_FILE, Result)
        if result.key in keys
    }
    return [
        _regression(
            gains.metric,
            results[ResultKey(gains.task, OUR_SOLVER, *query_key)],
            results[ResultKey(gains.task, gains.rival, *query_key)],
        )
        for gains, query_key in worst
    ]


def _regression(metric: Metric, ours: Result, theirs: Result) -> Regression:
    return Regression(
        task=ours.task,
        sample_id=ours.case,
        query_id=ours.question,
        query=ours.query,
        gold=ours.gold,
        ours=_scored_answer(metric, ours),
        theirs=_scored_answer(metric, theirs),
    )


def _scored_answer(metric: Metric, result: Result) -> ScoredAnswer:
    return ScoredAnswer(
        solver=result.method,
        text=result.text or "",
        read=result.read,
        score=metric.over([IndexedResult.of(result).outcome]),
        persona_version=result.persona_version,
        prompt=[_prompt_message(message) for message in result.told],
    )


def _prompt_message(message: Mapping[str, Any]) -> PromptMessage:
    content = message.get("content")
    return PromptMessage(
        role=str(message.get("role", "")),
        content=content if isinstance(content, str) else str(content or ""),
    )
