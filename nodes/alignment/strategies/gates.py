"""Which candidate becomes the persona."""

import asyncio
from collections.abc import Iterable, Sequence

from personaagent.core.alignment import Candidate, Loss
from personaagent.nodes.alignment.evaluator import EvalResult, Evaluator, merge
from personaagent.nodes.alignment.strategies.editors import describe
from personaagent.nodes.alignment.strategies.protocols import Verdict

LEAST_PAIRS = 2
"""Held-out pairs without which nothing is proved."""
NOISE = 1e-9
"""What sums of floats may differ by without meaning anything."""


class HeldOutGate:
    """The gate: better on the batch, and not worse on what no candidate has seen.

    By measurement an edit that is taken unproved loses 5 points on average.
    """

    needs_holdout = True

    async def judge(
        self,
        candidates: Sequence[Candidate],
        *,
        batch: Sequence[str],
        holdout: Sequence[str],
        seen: Sequence[str],
        before: dict[str, Loss],
        trial: Evaluator,
    ) -> Verdict:
        """Try all on the batch, and those that are strictly better there on the others.

        The best of those that are not worse on the held-out episodes, nor on those of earlier
        batches, is accepted; a tie keeps the current persona.
        """
        if not candidates:
            return Verdict(None, accepted=False, reason="no edit could be made")
        tried = await asyncio.gather(
            *(self._tried(each, batch, [*holdout, *seen], before, trial) for each in candidates)
        )
        better = [
            index for index, each in enumerate(tried) if change(before, each.losses, batch) < -NOISE
        ]
        cost = merge(tried)
        proved = [
            index
            for index in better
            if pairs(before, tried[index].losses, holdout) >= LEAST_PAIRS
            and change(before, tried[index].losses, holdout) <= NOISE
            and change(before, tried[index].losses, seen) <= NOISE
        ]
        every = [*batch, *holdout, *seen]
        ranked = sorted(
            proved or better or range(len(tried)),
            key=lambda index: change(before, tried[index].losses, every),
        )
        best = ranked[0]
        verdicts = {
            index: _verdict(index, better, proved, best) for index in range(len(candidates))
        }
        refused = [
            f"- {' and '.join(map(describe, candidates[index].operations))}: {verdict}"
            for index, verdict in verdicts.items()
            if not (proved and index == best)
        ]
        return Verdict(
            candidates[best],
            accepted=bool(proved),
            reason=verdicts[best],
            after=tried[best].losses,
            refused=refused,
            usage=cost.usage,
            cached=cost.cached,
        )

    async def _tried(
        self,
        candidate: Candidate,
        batch: Sequence[str],
        others: Sequence[str],
        before: dict[str, Loss],
        trial: Evaluator,
    ) -> EvalResult:
        """The candidate on the batch and, as soon as it is known to be better there, on the others."""
        tried = await trial.of(candidate.rules, batch)
        if change(before, tried.losses, batch) < -NOISE:
            tried = merge([tried, await trial.of(candidate.rules, others)])
        return tried


class AcceptAll:
    """Takes what update proposes (paper, Algorithm 1)."""

    needs_holdout = False

    async def judge(
        self,
        candidates: Sequence[Candidate],
        *,
        batch: Sequence[str],
        holdout: Sequence[str],
        seen: Sequence[str],
        before: dict[str, Loss],
        trial: Evaluator,
    ) -> Verdict:
        """The first candidate, without a trial."""
        if not candidates:
            return Verdict(None, accepted=False, reason="the editor wrote nothing")
        return Verdict(candidates[0], accepted=True, reason="taken without proof")


def pairs(before: dict[str, Loss], after: dict[str, Loss], episode_ids: Iterable[str]) -> int:
    """How many of the episodes were scored under the persona before, and tried under that after."""
    return sum(1 for each in episode_ids if _scored(before, each) and each in after)


def change(before: dict[str, Loss], after: dict[str, Loss], episode_ids: Iterable[str]) -> float:
    """The sum of differences in loss over the pairs: below 0 is better.

    An episode unscored before makes no pair; one that is unscored after counts as wrong.
    """
    merge = 0.0
    for each in episode_ids:
        if _scored(before, each) and each in after:
            was, now = before[each].loss, after[each].loss
            assert was is not None
            merge += (1.0 if now is None else now) - was
    return merge


def _scored(losses: dict[str, Loss], episode_id: str) -> bool:
    return episode_id in losses and losses[episode_id].score is not None


def _verdict(index: int, better: list[int], proved: list[int], best: int) -> str:
    if index not in better:
        return "not better on the batch"
    if index not in proved:
        return "worse on the held-out episodes, or too few of them could be scored"
    return "better on the batch, not worse held out" if index == best else "another was better"
