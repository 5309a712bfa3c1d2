"""A persona put to the test on the user's own episodes: simulate, then compare."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from langgraph.runtime import Runtime

from personaagent.core.alignment import Loss
from personaagent.core.alignment_state import AlignmentContext, AlignmentState, Plan
from personaagent.core.records import Episode, Rule, Usage
from personaagent.memory.user import UserMemory
from personaagent.nodes.alignment.budget import Budget
from personaagent.nodes.alignment.comparer import Comparer
from personaagent.nodes.alignment.simulator import Scene, Simulated, Simulator
from personaagent.nodes.parts import user_memory


@dataclass
class Tried:
    """What a trial found: the loss of each episode, and what it took."""

    losses: dict[str, Loss] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    cached: int = 0


@dataclass(frozen=True)
class Trial:
    """Tries personas on episodes whose scenes are set. ``budget`` may end it midway."""

    simulator: Simulator
    comparer: Comparer
    memory: UserMemory
    plan: Plan
    scenes: dict[str, Any]
    budget: Budget

    async def of(self, rules: Sequence[Rule], episode_ids: Sequence[str]) -> Tried:
        """The losses under a persona of these rules, all episodes side by side.

        One that is forgotten meanwhile is left out; one for which the budget is spent, or whose
        model fails, is unscored.
        """
        episodes = await self.memory.episodes.find(episode_ids)
        found = await asyncio.gather(*(self._try(rules, each) for each in episodes))
        tried = Tried()
        for loss, usage, cached in found:
            tried.losses[loss.episode] = loss
            tried.usage += usage
            tried.cached += cached
        return tried

    async def simulate(self, rules: Sequence[Rule], episode: Episode) -> Simulated:
        """The answer under a persona of these rules."""
        scene = Scene.model_validate(self.scenes[episode.id])
        return await self.simulator.simulate(
            episode, scene, rules, self.plan, self.memory, self.budget
        )

    async def _try(self, rules: Sequence[Rule], episode: Episode) -> tuple[Loss, Usage, bool]:
        simulated = await self.simulate(rules, episode)
        loss, judged = await self.comparer.compare(episode, simulated)
        self.budget.spend(judged)
        return loss, simulated.usage + judged, simulated.cached


async def trial_of(
    state: AlignmentState, runtime: Runtime[AlignmentContext], simulator: Simulator
) -> Trial:
    """The trial that a node of this run works with."""
    plan = Plan.model_validate(state["plan"])
    memory = user_memory(simulator.parts.memory, runtime)
    kinds = await memory.profile.label_kinds()
    comparer = Comparer(simulator.parts, memory, kinds, plan.seed)
    budget = await Budget.of(state, simulator.parts.settings, memory)
    return Trial(simulator, comparer, memory, plan, state["scenes"], budget)
