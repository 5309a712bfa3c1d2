"""The held-out gate: the rule by which a candidate is accepted, and a persona published."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from personaagent.core.alignment import Candidate, Loss
from personaagent.core.alignment_run import AlignmentRun
from personaagent.core.records import Pair
from personaagent.nodes.alignment.evaluator import EvalResult, Evaluator
from personaagent.nodes.alignment.strategies.editors import describe
from personaagent.nodes.alignment.strategies.protocols import FinalPersona, Verdict

LEAST_PAIRS = 2
"""Held-out pairs without which nothing is proved."""
TOLERANCE = 1e-9
"""Sums of floats may differ by this much without meaning anything."""

Losses = Mapping[str, Loss]


def passes(
    before: Losses,
    after: Losses,
    *,
    batch: Sequence[str],
    holdout: Sequence[str],
    earlier_batches: Sequence[str],
) -> bool:
    """The rule of the gate.

    With ``D(S) = sum of (loss after - loss before) over the episodes of S``, a candidate passes if
    it is strictly better on its batch, and not worse on all other labelled episodes at hand:

        D(batch) < 0  and  D(holdout) <= 0  and  D(earlier_batches) <= 0

    where at least 2 held-out episodes are scored.
    """
    return (
        is_better(before, after, batch)
        and count_pairs(before, after, holdout) >= LEAST_PAIRS
        and loss_change(before, after, holdout) <= TOLERANCE
        and loss_change(before, after, earlier_batches) <= TOLERANCE
    )


def is_better(before: Losses, after: Losses, episode_ids: Iterable[str]) -> bool:
    """Whether the losses after are strictly lower, in sum."""
    return loss_change(before, after, episode_ids) < -TOLERANCE


def loss_change(before: Losses, after: Losses, episode_ids: Iterable[str]) -> float:
    """``D(S)``: the sum of the differences in loss over the pairs; below 0 is better.

    An episode that is unscored before makes no pair; one that is unscored after has a loss of 1.
    """
    total = 0.0
    for episode_id in episode_ids:
        if _is_pair(before, after, episode_id):
            loss_before, loss_after = before[episode_id].loss, after[episode_id].loss
            assert loss_before is not None
            total += (1.0 if loss_after is None else loss_after) - loss_before
    return total


def count_pairs(before: Losses, after: Losses, episode_ids: Iterable[str]) -> int:
    """How many of the episodes are scored before, and were evaluated after."""
    return sum(_is_pair(before, after, episode_id) for episode_id in episode_ids)


def _is_pair(before: Losses, after: Losses, episode_id: str) -> bool:
    return episode_id in after and episode_id in before and before[episode_id].score is not None


@dataclass(frozen=True)
class _Trial:
    """A candidate and how it did; ``change`` is its change of loss on all episodes tried."""

    candidate: Candidate
    result: EvalResult
    better: bool
    passing: bool
    change: float

    def reason(self, best: "_Trial") -> str:
        if not self.better:
            return "not better on the batch"
        if not self.passing:
            return "worse on the held-out episodes, or too few of them could be scored"
        return "better on the batch, not worse held out" if self is best else "another was better"


class HeldOutGate:
    """Accepts the best of the candidates that pass (``passes``); a tie keeps the current persona."""

    needs_holdout = True

    async def decide(self, run: AlignmentRun, evaluator: Evaluator) -> Verdict:
        """Try all candidates, and accept the best of those that pass, if any does."""
        if not run.candidates:
            return Verdict(None, accepted=False, reason="no edit could be made")
        trials = await asyncio.gather(*(_try(c, run, evaluator) for c in run.candidates))
        best = _best(trials)
        cost = EvalResult.merge(trial.result for trial in trials)
        return Verdict(
            best.candidate,
            accepted=best.passing,
            reason=best.reason(best),
            losses_after=best.result.losses,
            refused=_refused(trials, best),
            usage=cost.usage,
            cached=cost.cached,
        )

    async def final_persona(self, run: AlignmentRun, evaluator: Evaluator) -> FinalPersona:
        """The persona that does best on all episodes of the run together; of equals the earliest.

        An accepted persona can turn out worse than an earlier one: ``hardest`` sampling changes the
        batch each round. All else was simulated before and comes from the cache.
        """
        personas = [run.initial_rules, *run.accepted_history]
        results = await asyncio.gather(
            *(evaluator.evaluate(rules, run.episode_ids) for rules in personas)
        )
        before = results[0].losses
        changes = [loss_change(before, result.losses, run.episode_ids) for result in results]
        best = changes.index(min(changes))
        usage = EvalResult.merge(results).usage
        if best == 0:
            return FinalPersona(run.initial_rules, usage=usage)
        return FinalPersona(personas[best], _pairs(before, results[best].losses, run), usage)


async def _try(candidate: Candidate, run: AlignmentRun, evaluator: Evaluator) -> _Trial:
    """Evaluate a candidate on the batch and, only if it is better there, on all other episodes."""
    result = await evaluator.evaluate(candidate.rules, run.batch)
    better = is_better(run.losses, result.losses, run.batch)
    if better:
        others = await evaluator.evaluate(candidate.rules, [*run.holdout, *run.earlier_batches])
        result = EvalResult.merge([result, others])
    return _Trial(
        candidate,
        result,
        better,
        passes(
            run.losses,
            result.losses,
            batch=run.batch,
            holdout=run.holdout,
            earlier_batches=run.earlier_batches,
        ),
        loss_change(run.losses, result.losses, [*run.batch, *run.holdout, *run.earlier_batches]),
    )


def _best(trials: Sequence[_Trial]) -> _Trial:
    """The lowest change of loss among those that pass, else those that are better, else all."""
    passing = [trial for trial in trials if trial.passing]
    better = [trial for trial in trials if trial.better]
    return min(passing or better or trials, key=lambda trial: trial.change)


def _refused(trials: Sequence[_Trial], best: _Trial) -> list[str]:
    return [
        f"- {' and '.join(map(describe, trial.candidate.operations))}: {trial.reason(best)}"
        for trial in trials
        if not (trial is best and best.passing)
    ]


def _pairs(before: Losses, after: Losses, run: AlignmentRun) -> list[Pair]:
    return [
        Pair(
            episode=episode_id,
            part="holdout" if episode_id in run.holdout else "batch",
            before=before[episode_id].loss,
            after=after[episode_id].loss,
            before_answer=before[episode_id].simulated,
            after_answer=after[episode_id].simulated,
        )
        for episode_id in run.episode_ids
        if episode_id in before and episode_id in after
    ]
