"""The scorecard of a persona: tested before trained, in order of time.

Each of the user's labelled episodes is a test of what the agent could know before it: its query is
answered again with everything hidden that came at that moment or later.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore

from personaagent.core.alignment_state import AlignmentContext, AlignmentPlan
from personaagent.core.errors import ModelError, NothingLabelled
from personaagent.core.records import Episode, Moment, Persona, Record, new_id, now
from personaagent.core.states import AgentContext
from personaagent.graphs.alignment import build_simulator
from personaagent.memory.user import UserMemory
from personaagent.nodes.alignment.episode_context import build_episode_context
from personaagent.nodes.alignment.loss import LossScorer
from personaagent.nodes.alignment.run_budget import RunBudget
from personaagent.nodes.alignment.simulator import Simulator
from personaagent.nodes.current_user import user_memory
from personaagent.nodes.dependencies import Dependencies
from personaagent.scorecard.conditions import CONDITIONS, Condition, persona_at, told_under
from personaagent.scorecard.estimate import Estimate, estimate

Advance = Callable[[float, float | None], None]
"""Called with the episodes that are done, and all of them."""


class EpisodeLosses(Record):
    """One episode: its loss under each condition (None: unscored).

    ``version`` is that of the persona of its time.
    """

    id: str
    task: str | None
    at: Moment
    version: int
    losses: dict[Condition, float | None]

    @property
    def scored(self) -> dict[Condition, float] | None:
        """The losses, if all of them are known: only then can they be compared in pairs."""
        known = {name: loss for name, loss in self.losses.items() if loss is not None}
        return known if len(known) == len(self.losses) else None


class Mean(Record):
    """The mean loss under one condition; ``to_none`` is its difference to ``none``, in pairs."""

    loss: Estimate
    to_none: Estimate


class Scorecard(Record):
    """The tested episodes, oldest first, and the means over those scored under all conditions.

    ``usage`` is ``{llm_calls, input_tokens, output_tokens, by_role, cached}``: ``cached`` counts
    the simulations that had been paid for before.
    """

    user_id: str
    episodes: list[EpisodeLosses]
    means: dict[Condition, Mean]
    usage: dict[str, Any]
    warnings: list[str]

    @property
    def compared(self) -> list[EpisodeLosses]:
        """The episodes that the means are over."""
        return [each for each in self.episodes if each.scored]

    def running(self, condition: Condition) -> list[float]:
        """The mean loss over the first episode, the first two, and so on to all compared."""
        sums = accumulate(each.scored[condition] for each in self.episodes if each.scored)
        return [total / count for count, total in enumerate(sums, 1)]


async def scorecard(
    deps: Dependencies, store: BaseStore, user_id: str, limit: int, advance: Advance
) -> Scorecard:
    """Test the user's newest ``limit`` labelled episodes under each condition.

    A run stays within the limits of an alignment (``PERSONAAGENT_ALIGN_CALLS`` and so on) and
    counts as one; what was simulated is kept, so that another run goes on from there.

    Raises:
        NothingLabelled: no episode is labelled.
        ModelError: no episode could be simulated and judged under all conditions.
        ConfigurationError: the models cannot be asked at all.
    """
    run = await _Run.of(deps, store, user_id)
    episodes = (await run.memory.episodes.newest(limit, labelled=True))[::-1]
    if not episodes:
        raise NothingLabelled(
            f"No episode of '{user_id}' says what they wanted: correct or accept an answer "
            "(`personaagent feedback`), or import labelled episodes."
        )
    found = await _side_by_side(run, episodes, advance)
    tested = [one.tested for one in found]
    if not any(each.scored for each in tested):
        raise ModelError(
            f"None of {len(tested)} episodes could be simulated and judged under all conditions; "
            f"the first reason: {found[0].unscored}"
        )
    return Scorecard(
        user_id=user_id,
        episodes=tested,
        means=_means(tested),
        usage=run.budget.used.summed() | {"cached": sum(one.cached for one in found)},
        warnings=_warnings(found),
    )


@dataclass(frozen=True)
class _Found:
    """What came of one episode; ``unscored`` says why, where a loss is not known."""

    tested: EpisodeLosses
    cached: int
    unscored: str


@dataclass(frozen=True)
class _Run:
    """What every episode is tested with. ``versions`` are those of the persona, oldest first."""

    simulator: Simulator
    loss_scorer: LossScorer
    memory: UserMemory
    runtime: Runtime[AgentContext]
    versions: list[Persona]
    plan: AlignmentPlan
    budget: RunBudget

    @classmethod
    async def of(cls, deps: Dependencies, store: BaseStore, user_id: str) -> "_Run":
        settings = deps.settings
        runtime = Runtime(context=AgentContext(user_id=user_id), store=store)
        memory = user_memory(deps.memory, runtime)
        context = AlignmentContext(user_id=user_id, causal=True, tools=False, sampling="latest")
        at = now().isoformat()
        plan = AlignmentPlan.of(context, settings, run=new_id(), trigger="scorecard", at=at)
        await memory.spending.delete_past()
        budget = await RunBudget.load(plan, settings, memory.spending)
        kinds = await memory.profile.label_types()
        return cls(
            simulator=build_simulator(deps),
            loss_scorer=LossScorer(deps, memory, kinds, plan.seed, budget),
            memory=memory,
            runtime=runtime,
            versions=await memory.personas.history(),
            plan=plan,
            budget=budget,
        )

    async def on(self, episode: Episode) -> _Found:
        """Answer its query under each condition, nothing twice, and compare."""
        persona = persona_at(episode, self.versions)
        deps = self.simulator.deps
        scene = await build_episode_context(
            episode, frozenset(), self.plan, self.memory, self.runtime, deps
        )
        recalled = await self.memory.episodes.find(scene.recalled)
        told = told_under(deps.settings, episode, scene, recalled, self.versions[0], persona)
        prompts = list({each.system_prompt: each for each in told.values()}.values())
        answers = await self.simulator.simulate(prompts, self.plan, self.memory, self.budget)
        by_prompt = {
            each.system_prompt: (await self.loss_scorer.score(episode, answer))[0]
            for each, answer in zip(prompts, answers, strict=True)
        }
        losses = {condition: by_prompt[each.system_prompt] for condition, each in told.items()}
        return _Found(
            tested=EpisodeLosses(
                id=episode.id,
                task=episode.task,
                at=episode.created_at,
                version=persona.version,
                losses={condition: loss.loss for condition, loss in losses.items()},
            ),
            cached=sum(answer.cached for answer in answers),
            unscored=next((loss.why for loss in losses.values() if loss.score is None), ""),
        )


async def _side_by_side(run: _Run, episodes: Sequence[Episode], advance: Advance) -> list[_Found]:
    """Test the episodes, as many at once as may be simulated at once."""
    room = asyncio.Semaphore(run.simulator.deps.settings.simulations_at_once)
    done = 0

    async def one(episode: Episode) -> _Found:
        nonlocal done
        async with room:
            found = await run.on(episode)
        done += 1
        advance(done, len(episodes))
        return found

    return await asyncio.gather(*map(one, episodes))


def _means(tested: Sequence[EpisodeLosses]) -> dict[Condition, Mean]:
    pairs = [each.scored for each in tested if each.scored]
    return {
        condition: Mean(
            loss=estimate([losses[condition] for losses in pairs]),
            to_none=estimate([losses[condition] - losses["none"] for losses in pairs]),
        )
        for condition in CONDITIONS
    }


def _warnings(found: Sequence[_Found]) -> list[str]:
    left_out = [one.unscored for one in found if not one.tested.scored]
    if not left_out:
        return []
    return [
        f"{len(left_out)} of {len(found)} episodes are left out, since not all of their "
        f"answers could be simulated and judged; the first reason: {left_out[0]}"
    ]
