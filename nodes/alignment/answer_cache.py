"""Simulated answers that were paid for once, so that no run pays for the same answer again."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from personaagent.core.alignment import SimulatedAnswer
from personaagent.core.alignment_state import AlignmentPlan
from personaagent.memory.simulations import Simulation, Simulations
from personaagent.memory.user_store import StoredValue
from personaagent.nodes.alignment.actor_prompt import ActorPrompt
from personaagent.nodes.alignment.answer_writer import AnswerWriter
from personaagent.nodes.dependencies import Dependencies


@dataclass(frozen=True)
class AnswerCache:
    """One user's simulated answers, found by all that decides an answer: prompt, model, limits."""

    deps: Dependencies
    plan: AlignmentPlan
    simulations: Simulations
    writer: AnswerWriter

    async def get(self, prompts: Sequence[ActorPrompt]) -> list[SimulatedAnswer | None]:
        """The cached answer to each prompt, or None."""
        values = await self.simulations.get([self._key(prompt) for prompt in prompts])
        return [
            None if value is None else SimulatedAnswer.model_validate(value | {"cached": True})
            for value in values
        ]

    async def put(self, prompt: ActorPrompt, answer: SimulatedAnswer) -> None:
        """Store the answer to the prompt, until one of its sources is forgotten."""
        value: StoredValue = {"answer": answer.answer}
        if answer.decision:
            value["decision"] = answer.decision.stored()
        await self.writer.put(Simulation(self._key(prompt), value, prompt.sources))

    def _key(self, prompt: ActorPrompt) -> str:
        """What tools find may change from run to run: with tools, the key is the run's own."""
        within_reach = (
            [prompt.context.hidden, self.plan.causal, self.plan.run] if self.plan.tools else []
        )
        actor, max_steps = self.deps.models.describe("actor"), self.deps.settings.max_steps
        decisive = [actor, max_steps, prompt.system_prompt, prompt.episode.query, within_reach]
        if not prompt.plain:  # closed questions are decided by the labels of their task
            decisive += [prompt.episode.task, _labels_in(prompt)]
        return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()


def _labels_in(prompt: ActorPrompt) -> list[Any]:
    """The user's labels of the episode's task, as far as the simulation may see them."""
    facts = prompt.context.profile.facts
    return [each.stored() for each in facts if each.task == prompt.episode.task]
