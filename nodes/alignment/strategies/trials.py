"""Trying candidates so that a round spends its simulations on those that may win."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TypeVar

from personaagent.core.alignment import Candidate
from personaagent.core.alignment_run import AlignmentRun
from personaagent.nodes.alignment.evaluator import EvalResult, Evaluator
from personaagent.nodes.alignment.strategies.gate_rule import (
    TOLERANCE,
    is_better,
    is_worse,
    loss_change,
    passes,
    passes_on_all,
)
from personaagent.nodes.alignment.weight_candidates import is_free

T = TypeVar("T")
_OF_WEIGHTS = {
    True: "better on all labels at hand, by more than chance",
    False: "too few labels, or the gain is no more than chance",
}
FINALISTS = 2
"""So many candidates at least, of those that are better on the batch, are tried on all else."""


@dataclass(frozen=True)
class Trial:
    """A candidate and how it did; ``change`` is its change of loss on all episodes tried.

    ``halved`` says that it went out before all episodes were tried.
    """

    candidate: Candidate
    result: EvalResult
    better: bool
    change: float
    passing: bool = False
    halved: bool = False

    def reason(self, best: "Trial") -> str:
        """Why it is accepted or refused; ``best`` is the best of the round."""
        if self.passing and self is not best:
            return "another was better"
        if self.candidate.weights is not None:
            return _OF_WEIGHTS[self.passing]
        if self.passing:
            return "better on the batch, not worse held out"
        if not self.better:
            return "not better on the batch"
        if self.halved:
            return "another did better on the first episodes, or it gained nothing there"
        return (
            "worse on the held-out episodes, too few of them could be scored, or the gain "
            "is no more than chance"
        )


async def try_all(
    candidates: Sequence[Candidate], run: AlignmentRun, evaluator: Evaluator
) -> list[Trial]:
    """Try each on the batch; then those that are left on all else.

    Weights that ask no model are all tried on all episodes at once.
    """
    free = [each for each in candidates if is_free(each, run)]
    costly = [each for each in candidates if not is_free(each, run)]
    tried, weighed = await asyncio.gather(
        _halve(costly, run, evaluator),
        asyncio.gather(*(_try(each, run, evaluator, run.episode_ids) for each in free)),
    )
    of_costly = [_judged(trial, run, len(costly)) for trial in tried]
    return of_costly + [_judged(trial, run, len(free)) for trial in weighed]


async def _halve(
    candidates: Sequence[Candidate], run: AlignmentRun, evaluator: Evaluator
) -> list[Trial]:
    """The trials; those that went out have losses of a part of the episodes.

    Successive halving (Karnin et al. 2013; for prompts TRIPLE, 2402.09723) in two steps: whoever waits
    for a round waits for an answer of the model in each, and in more steps it costs about as many.
    """
    tried = await asyncio.gather(*(_try(each, run, evaluator, run.batch) for each in candidates))
    out = [trial for trial in tried if not trial.better]
    rivals = sorted((trial for trial in tried if trial.better), key=lambda trial: trial.change)
    others = [trial for trial in rivals if _changes_no_rule(trial)]
    best, halved = better_half([trial for trial in rivals if not _changes_no_rule(trial)])
    proved = await asyncio.gather(*(_prove(each, run, evaluator) for each in [*best, *others]))
    return [*out, *(replace(trial, halved=True) for trial in halved), *proved]


def better_half(ranked: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    """The first half, at least ``FINALISTS``, and the rest: those made for a batch do well on it, so
    that one of them alone may fail on all else."""
    count = max(ceil(len(ranked) / 2), FINALISTS)
    return ranked[:count], ranked[count:]


async def _prove(trial: Trial, run: AlignmentRun, evaluator: Evaluator) -> Trial:
    """The trial on all episodes; one that changes no rule first gains something on half of them."""
    others = [*run.holdout, *run.earlier_batches]
    if not _changes_no_rule(trial):
        return await _more(trial, run, evaluator, others)
    half = len(others) // 2
    tried = await _more(trial, run, evaluator, others[:half])
    if _gains_nothing(tried):
        return replace(tried, halved=True)
    return await _more(tried, run, evaluator, others[half:])


def _changes_no_rule(trial: Trial) -> bool:
    return trial.candidate.weights is not None


def _gains_nothing(trial: Trial) -> bool:
    """Whether it goes on for nothing: it changes no rule, and no answer so far for the better."""
    return _changes_no_rule(trial) and trial.change > -TOLERANCE


async def _try(
    candidate: Candidate, run: AlignmentRun, evaluator: Evaluator, episode_ids: Sequence[str]
) -> Trial:
    return _trial(candidate, run, await _evaluate(candidate, run, evaluator, episode_ids))


async def _more(
    trial: Trial, run: AlignmentRun, evaluator: Evaluator, episode_ids: Sequence[str]
) -> Trial:
    more = await _evaluate(trial.candidate, run, evaluator, episode_ids)
    return _trial(trial.candidate, run, EvalResult.merge([trial.result, more]))


async def _evaluate(
    candidate: Candidate, run: AlignmentRun, evaluator: Evaluator, episode_ids: Sequence[str]
) -> EvalResult:
    return await evaluator.evaluate(run.persona_of(candidate), episode_ids)


def _trial(candidate: Candidate, run: AlignmentRun, result: EvalResult) -> Trial:
    """A candidate that changes no rule was not made for the batch: it need only not be worse there."""
    better = (
        is_better(run.losses, result.losses, run.batch)
        if candidate.weights is None
        else not is_worse(run.losses, result.losses, run.batch)
    )
    change = loss_change(run.losses, result.losses, run.episode_ids)
    return Trial(candidate, result, better, change)


def _judged(trial: Trial, run: AlignmentRun, rivals: int) -> Trial:
    """The trial with the verdict of the gate's rule; one that went out on the way does not pass."""
    rule = passes if trial.candidate.weights is None else passes_on_all
    passing = not trial.halved and rule(
        run.losses,
        trial.result.losses,
        batch=run.batch,
        holdout=run.holdout,
        earlier_batches=run.earlier_batches,
        rivals=rivals,
    )
    return replace(trial, passing=passing)
