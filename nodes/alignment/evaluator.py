"""A persona put to the test on the user's own episodes: simulate, then compare."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from langgraph.runtime import Runtime

from personaagent.core.alignment import Loss
from personaagent.core.alignment_state import AlignmentContext, AlignmentState, Plan
from personaagent.core.records import Episode, Rule, Usage
from personaagent.memory.user import UserMemory
from personaagent.nodes.alignment.loss import LossScorer
from personaagent.nodes.alignment.run_budget import Budget
from personaagent.nodes.alignment.simulator import (
    EpisodeContext,
    SimulatedAnswer,
    Simulator,
    sources,
    still_valid,
)
from personaagent.nodes.dependencies import user_memory


@dataclass(frozen=True)
class EvalResult:
    """What a trial found: the loss of each episode, and what it took."""

    losses: dict[str, Loss] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    cached: int = 0


@dataclass(frozen=True)
class Evaluator:
    """Tries personas on episodes whose scenes are set. ``budget`` may end it midway.

    ``known`` are the episodes of the run and those that come to mind for them, by id; without
    those that are forgotten meanwhile, or of which the user says otherwise by now.
    """

    simulator: Simulator
    loss_scorer: LossScorer
    memory: UserMemory
    plan: Plan
    episode_contexts: Mapping[str, EpisodeContext]
    known: Mapping[str, Episode]
    budget: Budget

    async def of(self, rules: Sequence[Rule], episode_ids: Sequence[str]) -> EvalResult:
        """What a persona of these rules does on these episodes, all of them side by side.

        An episode that is not known is left out; one for which the budget is spent, or whose
        model fails, is unscored.
        """
        episodes = [self.known[each] for each in episode_ids if each in self.known]
        told = [
            self.simulator.told(rules, each, self.episode_contexts[each.id], self.known)
            for each in episodes
        ]
        simulated = await self.simulator.simulate(told, self.plan, self.memory, self.budget)
        losses = await self.compare([*zip(episodes, simulated, strict=True)])
        return merge(
            EvalResult({loss.episode: loss}, answer.usage + judged, int(answer.cached))
            for answer, (loss, judged) in zip(simulated, losses, strict=True)
        )

    async def compare(
        self, answers: Sequence[tuple[Episode, SimulatedAnswer]]
    ) -> list[tuple[Loss, Usage]]:
        """The loss of each answer, and what judging it took."""
        return await asyncio.gather(*(self.loss_scorer.compare(*each) for each in answers))


def merge(tried: Iterable[EvalResult]) -> EvalResult:
    """All of it together."""
    whole = EvalResult()
    for each in tried:
        whole = EvalResult(
            whole.losses | each.losses, whole.usage + each.usage, whole.cached + each.cached
        )
    return whole


async def evaluator_of(
    state: AlignmentState, runtime: Runtime[AlignmentContext], simulator: Simulator
) -> Evaluator:
    """The trial that a node of this run works with."""
    plan = Plan.model_validate(state["plan"]).clamped_to(simulator.deps.settings)
    memory = user_memory(simulator.deps.memory, runtime)
    episode_contexts = {
        id: EpisodeContext.model_validate(each) for id, each in state["episode_contexts"].items()
    }
    kinds, found, budget = await asyncio.gather(
        memory.profile.label_types(),
        memory.episodes.find(sorted(sources(state["episode_contexts"]))),
        simulator.budget(state, memory),
    )
    return Evaluator(
        simulator,
        LossScorer(simulator.deps, memory, kinds, plan.seed, budget),
        memory,
        plan,
        episode_contexts,
        still_valid(found, episode_contexts),
        budget,
    )
