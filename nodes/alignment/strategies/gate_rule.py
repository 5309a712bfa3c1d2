"""The rule of the held-out gate: pure functions of losses."""

from collections.abc import Iterable, Mapping, Sequence
from math import log, sqrt
from statistics import fmean

from personaagent.core.alignment import Loss

LEAST_PAIRS = 2
"""Held-out pairs without which nothing is proved."""
TOLERANCE = 1e-9
"""Sums of floats may differ by this much without meaning anything."""
ALONE = 8
"""Of so many labels one that got better proves nothing, where all others stay as they were."""

Losses = Mapping[str, Loss]


def passes(
    before: Losses,
    after: Losses,
    *,
    batch: Sequence[str],
    holdout: Sequence[str],
    earlier_batches: Sequence[str],
    rivals: int = 1,
) -> bool:
    """The rule of the gate for a candidate that was made from its batch.

    With ``D(S) = sum of (loss after - loss before) over the episodes of S``, a candidate passes if
    it is strictly better on its batch, not worse on all other labelled episodes at hand, and better
    by more than chance on all together (``surely_better``):

        D(batch) < 0  and  D(holdout) <= 0  and  D(earlier_batches) <= 0

    where at least 2 held-out episodes are scored. ``rivals`` candidates are tried together.
    """
    return (
        is_better(before, after, batch)
        and count_pairs(before, after, holdout) >= LEAST_PAIRS
        and not is_worse(before, after, holdout)
        and not is_worse(before, after, earlier_batches)
        and surely_better(before, after, [*batch, *holdout, *earlier_batches], rivals)
    )


def passes_on_all(
    before: Losses,
    after: Losses,
    *,
    batch: Sequence[str],
    holdout: Sequence[str],
    earlier_batches: Sequence[str],
    rivals: int = 1,
) -> bool:
    """The rule for weights, which no label judges that they were fitted on: better by more than chance
    on all labelled episodes at hand, of which at least ``ALONE`` are scored."""
    episode_ids = [*batch, *holdout, *earlier_batches]
    return count_pairs(before, after, episode_ids) >= ALONE and surely_better(
        before, after, episode_ids, rivals
    )


def surely_better(
    before: Losses, after: Losses, episode_ids: Iterable[str], rivals: int = 1
) -> bool:
    """Whether the gain is more than chance: with few labels it must be much, with many a little.

    With g_i the gain on pair i and m their mean, ``sum g_i > c sqrt(sum (g_i - m)^2)``: the mean is c
    standard errors above 0, ``c^2 = ALONE / (ALONE - 1) (1 + ln rivals)``. The best of many is better
    by chance more often, hence the logarithm (as for the maximum of normal variables).
    """
    gains = _gains(before, after, episode_ids)
    if not gains:
        return False
    mean = fmean(gains)
    spread = sqrt(sum((gain - mean) ** 2 for gain in gains))
    caution = sqrt(ALONE / (ALONE - 1) * (1 + log(max(rivals, 1))))
    return sum(gains) > caution * spread + TOLERANCE


def is_better(before: Losses, after: Losses, episode_ids: Iterable[str]) -> bool:
    """Whether the losses after are strictly lower, in sum."""
    return loss_change(before, after, episode_ids) < -TOLERANCE


def is_worse(before: Losses, after: Losses, episode_ids: Iterable[str]) -> bool:
    """Whether the losses after are strictly higher, in sum."""
    return loss_change(before, after, episode_ids) > TOLERANCE


def loss_change(before: Losses, after: Losses, episode_ids: Iterable[str]) -> float:
    """``D(S)``: the sum of the differences in loss over the pairs; below 0 is better.

    An episode that is unscored before makes no pair; one that is unscored after has a loss of 1.
    """
    return -sum(_gains(before, after, episode_ids))


def count_pairs(before: Losses, after: Losses, episode_ids: Iterable[str]) -> int:
    """How many of the episodes are scored before, and were evaluated after."""
    return len(_gains(before, after, episode_ids))


def _gains(before: Losses, after: Losses, episode_ids: Iterable[str]) -> list[float]:
    """How much lower the loss of each pair is after."""
    gains = []
    for episode_id in episode_ids:
        if episode_id in after and episode_id in before:
            loss_before, loss_after = before[episode_id].loss, after[episode_id].loss
            if loss_before is not None:
                gains.append(loss_before - (1.0 if loss_after is None else loss_after))
    return gains
