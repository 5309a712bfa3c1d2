"""How sure are decisions, and how often are they right? From the answers that the user judged.

Intervals are Wilson's (Journal of the American Statistical Association 22, 1927): they hold for few
answers, and where all of them are right.
"""

from collections.abc import Collection, Iterable
from itertools import pairwise
from math import sqrt
from statistics import fmean
from typing import Literal, NamedTuple

from pydantic import Field, ValidationError

from personaagent.core.decision import DECIDED, Decided
from personaagent.core.records import Episode, Record
from personaagent.memory.episodes import Episodes
from personaagent.nodes.decision.spelling import AnswerOf
from personaagent.scorecard.estimate import Estimate

FEWEST = 10
"""Judged answers below which nothing is said to be certain."""
LEVELS = (0.0, 0.5, 0.7, 0.9, 1.0)
"""Where the levels of stated confidence begin and end."""
Z = 1.96

Verdict = Literal["unknown", "fits", "too_sure", "too_unsure"]


class Judged(NamedTuple):
    """How sure a decision was (0 to 1), and whether the user found it right."""

    stated: float
    right: bool


class Level(Record):
    """The decisions that were so sure: from ``least`` (included) to ``most``.

    ``stated`` is how sure they were in the mean, ``right`` the share that was right.
    """

    least: float
    most: float
    questions: int
    stated: float
    right: Estimate


class Calibration(Record):
    """Whether decisions are as sure as they are right; ``levels`` without any question are left out.

    ``verdict``: ``fits`` if the stated confidence lies in the interval of ``right``, ``too_sure`` above
    it, ``too_unsure`` below it, ``unknown`` with fewer than 10 questions.
    """

    questions: int
    stated: float | None = None
    right: Estimate | None = None
    verdict: Verdict = "unknown"
    levels: list[Level] = Field(default_factory=list)


async def read_calibration(episodes: Episodes) -> Calibration:
    """That of all decisions of the user that stand and that they accepted, corrected or rejected."""
    decisions = [judged_of(each) async for each in episodes.scan(standing=True)]
    return calibration([*filter(None, decisions)])


def judged_of(episode: Episode) -> Judged | None:
    """How the user judged the decision of this episode; None without either.

    A correction to the very answer that was decided, where the text said more, finds it right.
    """
    if episode.signal is None or DECIDED not in episode.metadata:
        return None
    try:
        decided = Decided.model_validate(episode.metadata[DECIDED])
    except ValidationError:  # written by somebody else, and imported
        return None
    return Judged(decided.probability, _is_right(episode, decided))


def calibration(judged: Collection[Judged]) -> Calibration:
    """The calibration of these decisions."""
    if not judged:
        return Calibration(questions=0)
    stated, right = _means(judged)
    return Calibration(
        questions=len(judged),
        stated=stated,
        right=right,
        verdict=_verdict(len(judged), stated, right),
        levels=[*_levels(judged)],
    )


def share(right: int, of: int) -> Estimate:
    """The share of at least one, with Wilson's 95% interval."""
    mean = right / of
    scale = 1 + Z**2 / of
    middle = (mean + Z**2 / (2 * of)) / scale
    half = Z * sqrt(mean * (1 - mean) / of + Z**2 / (4 * of**2)) / scale
    return Estimate(mean=mean, low=max(0.0, middle - half), high=min(1.0, middle + half))


def _is_right(episode: Episode, decided: Decided) -> bool:
    if episode.signal != "edit":
        return episode.signal == "accept"
    spellings = [decided.answer, *filter(None, [decided.text])]
    return AnswerOf(spellings).get(episode.ground_truth or "") is not None


def _means(judged: Collection[Judged]) -> tuple[float, Estimate]:
    right = sum(each.right for each in judged)
    return fmean(each.stated for each in judged), share(right, len(judged))


def _levels(judged: Iterable[Judged]) -> Iterable[Level]:
    for least, most in pairwise(LEVELS):
        inside = [each for each in judged if _is_within(each.stated, least, most)]
        if inside:
            stated, right = _means(inside)
            yield Level(least=least, most=most, questions=len(inside), stated=stated, right=right)


def _is_within(stated: float, least: float, most: float) -> bool:
    return least <= stated < most or stated == most == LEVELS[-1]


def _verdict(questions: int, stated: float, right: Estimate) -> Verdict:
    if questions < FEWEST:
        return "unknown"
    if stated > right.high:
        return "too_sure"
    return "too_unsure" if stated < right.low else "fits"
