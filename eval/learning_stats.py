"""What learning gained and cost: alignments accepted, losses before and after, tokens a point."""

from collections.abc import Sequence
from statistics import fmean

from personaagent.core.alignment import Alignment, mean_loss
from personaagent.core.records import Record, RoleUsage
from personaagent.eval.samples import TrainingResult

POINTS = 100
"""A loss of 1 is 100 points."""


class LearningStats(Record):
    """What a solver learned before its queries, over the samples of a task.

    Args:
        cases: how many samples the solver learned from.
        alignments: how many of them it aligned on.
        accepted: the share of alignments that published a persona.
        loss_before, loss_after: means over the samples whose losses are known, on held-out episodes
            if there are any. A persona that was not published leaves the loss unchanged.
        points: 100 x (before - after).
        tokens, llm_calls, seconds: means of one sample.
        tokens_per_point: ``tokens`` / ``points``; None if nothing was gained.
    """

    cases: int
    alignments: int
    accepted: float | None
    loss_before: float | None
    loss_after: float | None
    points: float | None
    tokens: float
    llm_calls: float
    seconds: float
    tokens_per_point: float | None


def learning_stats(results: Sequence[TrainingResult]) -> LearningStats:
    """The statistics over at least one training result."""
    alignments = [Alignment.model_validate(each.alignment) for each in results if each.alignment]
    before, after = _mean_losses(alignments)
    points = None if before is None or after is None else POINTS * (before - after)
    usages = [sum(result.usage.by_role.values(), RoleUsage()) for result in results]
    tokens = fmean(usage.input_tokens + usage.output_tokens for usage in usages)
    return LearningStats(
        cases=len(results),
        alignments=len(alignments),
        accepted=_mean([_published(alignment) for alignment in alignments]),
        loss_before=before,
        loss_after=after,
        points=points,
        tokens=tokens,
        llm_calls=fmean(usage.llm_calls for usage in usages),
        seconds=fmean(result.seconds for result in results),
        tokens_per_point=_per_point(tokens, points),
    )


def _mean_losses(alignments: Sequence[Alignment]) -> tuple[float | None, float | None]:
    """The mean losses before and after, over the alignments whose losses are known."""
    losses = list(filter(None, map(losses_of, alignments)))
    return _mean([before for before, _ in losses]), _mean([after for _, after in losses])


def _per_point(tokens: float, points: float | None) -> float | None:
    return tokens / points if points and points > 0 else None


def losses_of(alignment: Alignment) -> tuple[float, float] | None:
    """The mean loss before and after the alignment; None if either is unknown.

    Algorithm 1 of the paper does not test its last rewrite: the loss after a round is known from the
    next round only.
    """
    if _published(alignment):
        return _losses_of_pairs(alignment)
    before = _unchanged_loss(alignment)
    return None if before is None else (before, before)


def _published(alignment: Alignment) -> bool:
    return alignment.to_version != alignment.from_version


def _losses_of_pairs(alignment: Alignment) -> tuple[float, float] | None:
    held_out = [pair for pair in alignment.pairs if pair.part == "holdout"] or alignment.pairs
    scored = [pair for pair in held_out if pair.before is not None and pair.after is not None]
    before = mean_loss(pair.before for pair in scored)
    after = mean_loss(pair.after for pair in scored)
    return None if before is None or after is None else (before, after)


def _unchanged_loss(alignment: Alignment) -> float | None:
    if not alignment.rounds:
        return 0.0 if alignment.stopped_by == "no loss" else None
    first_round = alignment.rounds[0]
    return mean_loss((first_round.holdout_before or first_round.losses_before).values())


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
