"""Batch calibration: what the model says whatever it is asked, taken out of what it says."""

from collections.abc import Mapping, Sequence
from statistics import fmean


def calibrated(
    probabilities: Mapping[str, float], batch: Sequence[Mapping[str, float]], share: float = 1.0
) -> dict[str, float]:
    """``log p(y|x) - share * log mean_x p(y|x)``, as probabilities.

    Args:
        probabilities: of one question, for each answer.
        batch: of other questions with the same answers; with none, nothing is taken out.
        share: how much of the mean is taken out.

    Source: Zhou et al. 2023, Batch Calibration (arXiv 2309.17249), formulas 3 and 4.
    """
    if not batch:
        return dict(probabilities)
    powers = {y: p / fmean(each[y] for each in batch) ** share for y, p in probabilities.items()}
    total = sum(powers.values())
    return {y: power / total for y, power in powers.items()}
