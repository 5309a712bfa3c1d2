"""A persona put to the test on the user's own episodes: simulate, then compare."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from langgraph.runtime import Runtime

from personaagent.core.alignment import Loss
from personaagent.core.alignment_state import AlignmentContext, AlignmentState, Plan
from personaagent.core.records import Episode, Rule, Usage
from personaagent.memory.user import UserMemory
from personaagent.nodes.alignment.budget import Budget
from personaagent.nodes.alignment.comparer import Comparer
from personaagent.nodes.alignment.simulator import (
    Scene,
    Simulated,
    Simulator,
    drawn_from,
    standing,
)
from personaagent.nodes.parts import user_memory


@dataclass(frozen=True)
class Tried:
    """What a trial found: the loss of each episode, and what it took."""

    losses: dict[str, Loss] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    cached: int = 0


@dataclass(frozen=True)
class Trial:
    """Tries personas on episodes whose scenes are set. ``budget`` may end it midway.

    ``known`` are the episodes of the run and those that come to mind for them, by id; without
    those that are forgotten meanwhile, or of which the user says otherwise by now.
    """

    simulator: Simulator
    comparer: Comparer
    memory: UserMemory
    plan: Plan
    scenes: Mapping[str, Scene]
    known: Mapping[str, Episode]
    budget: Budget

    async def of(self, rules: Sequence[Rule], episode_ids: Sequence[str]) -> Tried:
        """What a persona of these rules does on these episodes, all of them side by side.

        An episode that is not known is left out; one for which the budget is spent, or whose
        model fails, is unscored.
        """
        episodes = [self.known[each] for each in episode_ids if each in self.known]
        told = [
            self.simulator.told(rules, each, self.scenes[each.id], self.known) for each in episodes
        ]
        simulated = await self.simulator.simulate(told, self.plan, self.memory, self.budget)
        losses = await self.compare([*zip(episodes, simulated, strict=True)])
        return total(
            Tried({loss.episode: loss}, answer.usage + judged, int(answer.cached))
            for answer, (loss, judged) in zip(simulated, losses, strict=True)
        )

    async def compare(
        self, answers: Sequence[tuple[Episode, Simulated]]
    ) -> list[tuple[Loss, Usage]]:
        """The loss of each answer, and what judging it took."""
        return await asyncio.gather(*(self.comparer.compare(*each) for each in answers))


def total(tried: Iterable[Tried]) -> Tried:
    """All of it together."""
    whole = Tried()
    for each in tried:
        whole = Tried(
            whole.losses | each.losses, whole.usage + each.usage, whole.cached + each.cached
        )
    return whole


async def trial_of(
    state: AlignmentState, runtime: Runtime[AlignmentContext], simulator: Simulator
) -> Trial:
    """The trial that a node of this run works with."""
    plan = Plan.model_validate(state["plan"]).within(simulator.parts.settings)
    memory = user_memory(simulator.parts.memory, runtime)
    scenes = {id: Scene.model_validate(each) for id, each in state["scenes"].items()}
    kinds, found, budget = await asyncio.gather(
        memory.profile.label_kinds(),
        memory.episodes.find(sorted(drawn_from(state["scenes"]))),
        simulator.budget(state, memory),
    )
    return Trial(
        simulator,
        Comparer(simulator.parts, memory, kinds, plan.seed, budget),
        memory,
        plan,
        scenes,
        standing(found, scenes),
        budget,
    )
