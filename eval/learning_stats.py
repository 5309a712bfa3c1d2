"""What learning brought and took: alignments accepted, losses before and after, tokens a point."""

from collections.abc import Sequence
from statistics import fmean

from personaagent.core.alignment import Alignment, mean_loss
from personaagent.core.records import Record, RoleUsage
from personaagent.eval.samples import TrainingResult

POINTS = 100
"""A loss of 1 is 100 points."""


class Learning(Record):
    """What a method learned before its questions, over the cases of a task.

    ``accepted`` is the share of alignments that published a persona. Losses are means over the
    cases whose losses are known, on held-out episodes where there are any; a persona that was not
    published leaves the loss as it was. ``points`` = 100 x (before - after); ``tokens_per_point``
    = tokens of learning a case / points, None where nothing was gained. Tokens and seconds are of
    a case.
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


def learning(learned: Sequence[TrainingResult]) -> Learning:
    """The learning of at least one case."""
    runs = [Alignment.model_validate(each.alignment) for each in learned if each.alignment]
    known = [found for found in map(losses, runs) if found]
    before = fmean(each[0] for each in known) if known else None
    after = fmean(each[1] for each in known) if known else None
    spent = [sum(each.usage.by_role.values(), RoleUsage()) for each in learned]
    tokens = fmean(each.input_tokens + each.output_tokens for each in spent)
    points = POINTS * (before - after) if before is not None and after is not None else None
    return Learning(
        cases=len(learned),
        alignments=len(runs),
        accepted=fmean(run.to_version != run.from_version for run in runs) if runs else None,
        loss_before=before,
        loss_after=after,
        points=points,
        tokens=tokens,
        llm_calls=fmean(each.llm_calls for each in spent),
        seconds=fmean(each.seconds for each in learned),
        tokens_per_point=tokens / points if points and points > 0 else None,
    )


def losses(run: Alignment) -> tuple[float, float] | None:
    """The mean loss before and after the run; None where one of them is not known.

    Algorithm 1 proves nothing: there the loss after a round is known from the next round alone.
    """
    if run.to_version != run.from_version:
        held_out = [pair for pair in run.pairs if pair.part == "holdout"] or run.pairs
        both = [each for each in held_out if each.before is not None and each.after is not None]
        before = mean_loss(each.before for each in both)
        after = mean_loss(each.after for each in both)
    elif run.stopped_by == "no loss":
        before = after = 0.0
    elif run.rounds:
        first = run.rounds[0]
        before = after = mean_loss((first.holdout_before or first.losses_before).values())
    else:
        return None
    return None if before is None or after is None else (before, after)
