"""How a persona does on the user's own episodes: simulate the answers, then compute their losses."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from personaagent.core.alignment import Loss, SimulatedAnswer
from personaagent.core.alignment_run import AlignmentRun, RunPersona
from personaagent.core.records import Episode, Usage
from personaagent.memory.user import UserMemory
from personaagent.nodes.alignment.actor_prompt import build_actor_prompt
from personaagent.nodes.alignment.episode_context import still_valid
from personaagent.nodes.alignment.loss import LossScorer
from personaagent.nodes.alignment.run_budget import RunBudget
from personaagent.nodes.alignment.simulator import Simulator


@dataclass(frozen=True)
class EvalResult:
    """The losses by episode id, what they cost, and how many answers came from the cache."""

    losses: dict[str, Loss] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    cached: int = 0

    @classmethod
    def merge(cls, results: Iterable["EvalResult"]) -> "EvalResult":
        """All results as one; of two losses of an episode the later one counts."""
        merged = cls()
        for result in results:
            merged = cls(
                merged.losses | result.losses,
                merged.usage + result.usage,
                merged.cached + result.cached,
            )
        return merged


@dataclass(frozen=True)
class Evaluator:
    """Evaluates personas on the episodes of a run; ``budget`` may end it midway.

    ``episodes_by_id`` holds the episodes of the run and those that are recalled for them, without
    those that were forgotten, or labelled anew, since the run drew them.
    """

    simulator: Simulator
    loss_scorer: LossScorer
    memory: UserMemory
    run: AlignmentRun
    episodes_by_id: Mapping[str, Episode]
    budget: RunBudget

    async def evaluate(self, persona: RunPersona, episode_ids: Sequence[str]) -> EvalResult:
        """Evaluate a persona on these episodes, side by side.

        An episode that is no longer valid is left out. One that the budget does not allow, or
        whose model fails, is unscored.
        """
        ids = [id for id in episode_ids if id in self.episodes_by_id]
        prompts = [
            build_actor_prompt(
                persona.rules,
                self.episodes_by_id[episode_id],
                self.run.episode_contexts[episode_id],
                self.episodes_by_id,
                self.simulator.deps.settings,
                persona.weights_for(episode_id),
            )
            for episode_id in ids
        ]
        answers = await self.simulator.simulate(prompts, self.run.plan, self.memory, self.budget)
        scored = await self.score(dict(zip(ids, answers, strict=True)))
        return replace(
            scored,
            usage=sum((answer.usage for answer in answers), Usage()) + scored.usage,
            cached=sum(answer.cached for answer in answers),
        )

    async def score(self, answers: Mapping[str, SimulatedAnswer]) -> EvalResult:
        """The losses of answers, by episode id, and what judging them cost."""
        scored = await asyncio.gather(
            *(
                self.loss_scorer.score(self.episodes_by_id[episode_id], answer)
                for episode_id, answer in answers.items()
                if episode_id in self.episodes_by_id
            )
        )
        return EvalResult.merge(EvalResult({loss.episode: loss}, usage) for loss, usage in scored)


async def build_evaluator(
    run: AlignmentRun, memory: UserMemory, simulator: Simulator, *, uses_judge: bool = True
) -> Evaluator:
    """The evaluator for a node of this run; ``uses_judge`` is explained at ``LossScorer``."""
    label_types, episodes, budget = await asyncio.gather(
        memory.profile.label_types(),
        memory.episodes.find(sorted(run.source_ids)),
        simulator.budgets.of_run(run.plan, run.usage, memory.spending),
    )
    return Evaluator(
        simulator,
        LossScorer(simulator.deps, memory, label_types, run.plan.seed, budget, uses_judge),
        memory,
        run,
        still_valid(episodes, run.episode_contexts),
        budget,
    )
