"""The loss of a simulated answer: by an exact score where the task has one, else by a judge model."""

import hashlib
import json
from dataclasses import dataclass

from personaagent.core.alignment import Loss, SimulatedAnswer
from personaagent.core.audience import audience_message
from personaagent.core.errors import ServiceError
from personaagent.core.records import Episode, Usage
from personaagent.memory.label_types import LabelType
from personaagent.memory.user import UserMemory
from personaagent.models.metering import metered
from personaagent.nodes.alignment.answer_scores import Score, exact_score, metric_of
from personaagent.nodes.alignment.judge import judge
from personaagent.nodes.alignment.run_budget import RunBudget
from personaagent.nodes.dependencies import Dependencies


@dataclass(frozen=True)
class LossScorer:
    """Scores answers against what one user wanted; ``label_types`` says how to read each task.

    Unless ``uses_judge``, free texts are scored by ROUGE-L, whatever the settings say.
    """

    deps: Dependencies
    memory: UserMemory
    label_types: dict[str | None, LabelType]
    seed: int
    budget: RunBudget
    uses_judge: bool = True

    async def score(self, episode: Episode, simulated: SimulatedAnswer) -> tuple[Loss, Usage]:
        """The loss of one answer (``loss = 1 - score``), and what judging it cost.

        Raises:
            ConfigurationError: the judge cannot be asked at all.
        """
        expected, answer = episode.ground_truth or "", simulated.answer or ""
        text_metric = self.deps.settings.text_metric if self.uses_judge else "rouge"
        metric = metric_of(episode.task, self.label_types, text_metric)
        usage = Usage()
        if simulated.answer is None:
            score, why = None, simulated.error
        elif metric == "judge":
            (score, why), usage = await self._judged_once(episode, expected, answer)
        else:
            score, why = exact_score(metric, answer, expected, self.label_types.get(episode.task))
        loss = Loss(
            episode=episode.id,
            metric=metric,
            score=score,
            expected=expected,
            simulated=answer,
            why=why,
        )
        return loss, usage

    async def _judged_once(
        self, episode: Episode, expected: str, answer: str
    ) -> tuple[Score, Usage]:
        """The judge's score; the same judgement is paid for only once."""
        key = self._key(episode, expected, answer)
        [cached] = await self.memory.simulations.get([key])
        if cached is not None:
            return (cached["score"], cached["why"]), Usage()
        (score, why), usage = await self._judged(episode, expected, answer)
        if score is not None:
            value = {"score": score, "why": why}
            await self.memory.simulations.put(key, value, sources=[episode.id])
        return (score, why), usage

    def _key(self, episode: Episode, expected: str, answer: str) -> str:
        critic = self.deps.models.describe("critic")
        decisive = ["judge", critic, episode.query, expected, answer, self.seed]
        return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()

    async def _judged(self, episode: Episode, expected: str, answer: str) -> tuple[Score, Usage]:
        """The judge's score; unscored if the budget is spent or the judge fails."""
        model = await self.deps.models.chat("critic")
        try:
            async with self.deps.model_slots:
                with metered(self.budget):
                    score, why, used = await judge(
                        model,
                        query=episode.query,
                        expected=expected,
                        simulated=answer,
                        seed=self.seed,
                    )
        except ServiceError as error:
            return (None, audience_message(error)), Usage()
        return (score, why), Usage().add("critic", used)
