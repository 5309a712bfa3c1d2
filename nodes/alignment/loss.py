"""The loss of simulated answers: an exact metric where the task has one, else a judge model."""

import hashlib
import json
from dataclasses import dataclass

from personaagent.core.alignment import Loss
from personaagent.core.errors import ServiceError
from personaagent.core.records import Episode, Usage
from personaagent.memory.label_types import LabelType
from personaagent.memory.user import UserMemory
from personaagent.nodes.alignment.answer_scores import exact, metric_of
from personaagent.nodes.alignment.judge import judge
from personaagent.nodes.alignment.run_budget import Budget
from personaagent.nodes.alignment.simulator import SimulatedAnswer
from personaagent.nodes.dependencies import Dependencies


@dataclass(frozen=True)
class LossScorer:
    """Compares answers with what one user wanted; ``kinds`` says how each task of theirs is read.

    Unless it ``judges``, free texts are compared by ROUGE-L, whatever the settings say.
    """

    deps: Dependencies
    memory: UserMemory
    kinds: dict[str | None, LabelType]
    seed: int
    budget: Budget
    judges: bool = True

    async def compare(self, episode: Episode, simulated: SimulatedAnswer) -> tuple[Loss, Usage]:
        """The loss of one answer, and what judging it took; a judgement is paid for only once.

        Raises:
            ConfigurationError: the judge cannot be asked at all.
        """
        expected, answer = episode.ground_truth or "", simulated.answer or ""
        text_metric = self.deps.settings.text_metric if self.judges else "rouge"
        metric = metric_of(episode.task, self.kinds, text_metric)
        if simulated.answer is None:
            score, why, usage = None, simulated.error, Usage()
        elif metric == "judge":
            score, why, usage = await self._judged(episode, expected, answer)
        else:
            score, why = exact(metric, answer, expected, self.kinds.get(episode.task))
            usage = Usage()
        loss = Loss(
            episode=episode.id,
            metric=metric,
            score=score,
            expected=expected,
            simulated=answer,
            why=why,
        )
        return loss, usage

    async def _judged(
        self, episode: Episode, expected: str, answer: str
    ) -> tuple[float | None, str, Usage]:
        critic = self.deps.models.describe("critic")
        told = json.dumps(["judge", critic, episode.query, expected, answer, self.seed])
        key = hashlib.sha256(told.encode()).hexdigest()
        [kept] = await self.memory.simulations.get([key])
        if kept is not None:
            return kept["score"], kept["why"], Usage()
        model = await self.deps.models.chat("critic")
        try:
            async with self.deps.model_slots:
                if refusal := self.budget.refusal():
                    return None, refusal, Usage()
                score, why, used = await judge(
                    model, query=episode.query, expected=expected, simulated=answer, seed=self.seed
                )
        except ServiceError as error:
            return None, str(error), Usage()
        usage = Usage().add("critic", used)
        await self.budget.spend(usage)
        if score is not None:
            kept = {"score": score, "why": why}
            await self.memory.simulations.put(key, kept, sources=[episode.id])
        return score, why, usage
