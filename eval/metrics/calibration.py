"""Whether a confidence is as high as it should be: the expected calibration error."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from personaagent.eval.metrics.protocol import Metric, Outcome
from personaagent.scorecard.bootstrap import Array

BINS = 10


@dataclass(frozen=True)
class CalibrationError(Metric):
    """The expected calibration error (ECE) over the answers that carry a confidence; less is better.

    ``ECE = sum over bins of |B| / n * | accuracy(B) - mean confidence(B) |``, with ``bins`` bins of
    equal width, ``((m - 1) / bins, m / bins]``. An answer is right if it is the wanted one.

    With few answers in a bin, chance alone makes the error greater than it is; a bootstrap adds
    that chance once more, so that an interval may lie above the figure itself.

    Source: Guo et al. 2017, On Calibration of Modern Neural Networks (arXiv 1706.04599), formula 3.
    """

    name: str = "ECE"
    higher: bool = False
    bins: int = BINS

    def terms(self, outcome: Outcome) -> Sequence[float]:
        """For each bin: answers, right answers, sum of confidences."""
        terms = np.zeros((3, self.bins))
        if outcome.confidence is not None:
            right = float(outcome.read == outcome.gold)
            terms[:, self._bin(outcome.confidence)] = 1.0, right, outcome.confidence
        return list(terms.ravel())

    def of(self, sums: Array) -> Array:
        answers, right, confidence = np.split(sums, 3, axis=-1)
        total = answers.sum(axis=-1)
        gaps = np.abs(right - confidence).sum(axis=-1)
        error: Array = np.divide(gaps, total, out=np.full(total.shape, np.nan), where=total > 0)
        return error

    def _bin(self, confidence: float) -> int:
        return min(max(int(np.ceil(confidence * self.bins)) - 1, 0), self.bins - 1)
