"""What a scorecard is: the losses of each tested episode, and their means under each condition."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from personaagent.core.records import Moment, Record
from personaagent.scorecard.calibration import Calibration
from personaagent.scorecard.conditions import CONDITIONS, Condition
from personaagent.scorecard.estimate import Estimate, estimate
from personaagent.scorecard.helped import Helped


class EpisodeLosses(Record):
    """One episode and its loss under each condition; None where there is no loss.

    ``version`` is that of the persona of the episode's time. ``now`` is the loss with the newest
    persona, where that was not learned from this episode.
    """

    id: str
    task: str | None
    at: Moment
    version: int
    losses: dict[Condition, float | None]
    now: float | None = None

    @property
    def complete(self) -> dict[Condition, float] | None:
        """The losses if all are known; only then can the conditions be compared in pairs."""
        known: dict[Condition, float] = {
            name: loss for name, loss in self.losses.items() if loss is not None
        }
        return known if len(known) == len(self.losses) else None


class ConditionMean(Record):
    """The mean loss under one condition, and its mean difference to ``none``, in pairs."""

    loss: Estimate
    to_none: Estimate


class Scorecard(Record):
    """The tested episodes, oldest first, and the means over those with a loss under all conditions.

    ``usage`` is ``{llm_calls, input_tokens, output_tokens, by_role, cached}``; ``cached`` counts the
    simulations that were paid for earlier. ``helped`` says whether what was learned has helped, also
    where all labels are older than it, and ``calibration`` how sure the decisions were that the user
    judged, and how often right.
    """

    user_id: str
    episodes: list[EpisodeLosses]
    means: dict[Condition, ConditionMean]
    usage: dict[str, Any]
    warnings: list[str]
    helped: Helped | None = None
    calibration: Calibration | None = None

    @property
    def compared(self) -> list[EpisodeLosses]:
        """The episodes that the means cover."""
        return [episode for episode in self.episodes if episode.complete]

    def running_means(self, condition: Condition) -> list[float]:
        """The mean loss over the first compared episode, over the first two, and so on."""
        losses = [losses[condition] for episode in self.episodes if (losses := episode.complete)]
        return [total / count for count, total in enumerate(accumulate(losses), 1)]


def condition_means(episodes: Sequence[EpisodeLosses]) -> dict[Condition, ConditionMean]:
    """The means over the episodes with a loss under all conditions; there must be at least one."""
    complete = [losses for episode in episodes if (losses := episode.complete)]
    return {
        condition: ConditionMean(
            loss=estimate([losses[condition] for losses in complete]),
            to_none=estimate([losses[condition] - losses["none"] for losses in complete]),
        )
        for condition in CONDITIONS
    }
