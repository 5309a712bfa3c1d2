"""Computes a scorecard: tests every version of the persona on later episodes, in order of time.

Each of the user's labelled episodes tests what the agent could know before it: its query is answered
again while everything from that moment or later is hidden.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore

from personaagent.core.alignment import EpisodeContext, Loss
from personaagent.core.alignment_state import AlignmentContext, AlignmentPlan
from personaagent.core.audience import audience_message
from personaagent.core.counting import counted
from personaagent.core.errors import IndexUnavailable, ModelError, NothingLabelled
from personaagent.core.records import Episode, Persona, new_id, now
from personaagent.core.states import AgentContext
from personaagent.graphs.alignment import build_simulator
from personaagent.memory.user import UserMemory
from personaagent.nodes.alignment.actor_prompt import ActorPrompt, build_actor_prompt
from personaagent.nodes.alignment.episode_context import build_episode_context
from personaagent.nodes.alignment.loss import LossScorer
from personaagent.nodes.alignment.run_budget import RunBudget
from personaagent.nodes.alignment.simulator import Simulator
from personaagent.nodes.current_user import user_memory
from personaagent.nodes.dependencies import Dependencies
from personaagent.scorecard.calibration import read_calibration
from personaagent.scorecard.conditions import (
    CONDITIONS,
    Condition,
    persona_at,
    prompts_by_condition,
)
from personaagent.scorecard.helped import Tested, has_helped, has_learned, part_of
from personaagent.scorecard.scorecard import EpisodeLosses, Scorecard, condition_means

OnProgress = Callable[[float, float | None], None]
"""Receives the number of tested episodes, and of all episodes."""


async def compute_scorecard(
    deps: Dependencies, store: BaseStore, user_id: str, limit: int, on_progress: OnProgress
) -> Scorecard:
    """Test the user's newest ``limit`` labelled episodes under each condition.

    A run keeps within the limits of an alignment (``PERSONAAGENT_ALIGN_CALLS`` and so on) and counts as
    one. Simulations are stored, so that another run continues from there.

    Raises:
        NothingLabelled: no episode is labelled.
        ModelError: no episode could be simulated and judged under all conditions.
        ConfigurationError: the models cannot be asked at all.
    """
    run = await _ScorecardRun.start(deps, store, user_id)
    episodes = (await run.memory.episodes.newest(limit, labelled=True, standing=True))[::-1]
    if not episodes:
        raise NothingLabelled(
            f"No episode of '{user_id}' says what they wanted: correct or accept an answer "
            "(`personaagent feedback`), or import labelled episodes."
        )
    tests = await _test_concurrently(run, episodes, on_progress)
    if not any(test.losses.complete for test in tests):
        raise ModelError(
            f"None of {counted(len(tests), 'episode')} could be simulated and judged under all conditions; "
            f"the first reason: {tests[0].reason_unscored}"
        )
    losses = [test.losses for test in tests]
    return Scorecard(
        user_id=user_id,
        episodes=losses,
        means=condition_means(losses),
        usage=run.budget.used.summed() | {"cached": sum(test.cached for test in tests)},
        warnings=_warnings(tests),
        helped=has_helped([test.helped for test in tests], run.versions),
        calibration=await read_calibration(run.memory.episodes),
    )


@dataclass(frozen=True)
class _EpisodeTest:
    """The result for one episode; ``reason_unscored`` tells why a loss is unknown, or is empty."""

    losses: EpisodeLosses
    helped: Tested
    cached: int
    reason_unscored: str


@dataclass(frozen=True)
class _ScorecardRun:
    """What every episode is tested with. ``versions`` are those of the persona, oldest first."""

    simulator: Simulator
    loss_scorer: LossScorer
    memory: UserMemory
    runtime: Runtime[AgentContext]
    versions: list[Persona]
    plan: AlignmentPlan
    budget: RunBudget

    @classmethod
    async def start(cls, deps: Dependencies, store: BaseStore, user_id: str) -> "_ScorecardRun":
        settings = deps.settings
        runtime = Runtime(context=AgentContext(user_id=user_id), store=store)
        memory = user_memory(deps.memory, runtime)
        context = AlignmentContext(user_id=user_id, causal=True, tools=False, sampling="latest")
        started_at = now().isoformat()
        plan = AlignmentPlan.of(context, settings, run=new_id(), trigger="scorecard", at=started_at)
        await memory.spending.delete_past()
        budget = await RunBudget.load(plan, settings, memory.spending)
        label_types = await memory.profile.label_types()
        return cls(
            simulator=_simulator(deps, store),
            loss_scorer=LossScorer(deps, memory, label_types, plan.seed, budget),
            memory=memory,
            runtime=runtime,
            versions=await memory.personas.history(),
            plan=plan,
            budget=budget,
        )

    async def test(self, episode: Episode) -> _EpisodeTest:
        """Answer the episode's query under each condition, equal prompts once, and score it.

        An episode for which nothing can be recalled now has no losses.
        """
        deps = self.simulator.deps
        try:
            context = await build_episode_context(
                episode, frozenset(), self.plan, self.memory, self.runtime, deps
            )
        except IndexUnavailable as error:
            return self._untested(episode, audience_message(error))
        return await self._test(episode, context)

    def _untested(self, episode: Episode, reason: str) -> _EpisodeTest:
        losses = self._losses(episode, dict.fromkeys(CONDITIONS), None)
        part = part_of(episode, self.versions)
        return _EpisodeTest(losses, Tested(part=part, initial=None, now=None), 0, reason)

    async def _test(self, episode: Episode, context: EpisodeContext) -> _EpisodeTest:
        persona, deps = persona_at(episode, self.versions), self.simulator.deps
        recalled = await self.memory.episodes.find(context.recalled)
        prompts = prompts_by_condition(
            episode, context, recalled, self.versions[0], persona, deps.settings
        )
        part = part_of(episode, self.versions)
        current = self._prompt_now(episode, context, recalled) if part != "learned" else None
        tested = [*prompts.values(), *([current] if current else [])]
        distinct = list({each.key: each for each in tested}.values())
        answers = await self.simulator.simulate(distinct, self.plan, self.memory, self.budget)
        loss_by_prompt = {
            each.key: (await self.loss_scorer.score(episode, answer))[0]
            for each, answer in zip(distinct, answers, strict=True)
        }
        losses: dict[Condition, Loss] = {
            condition: loss_by_prompt[each.key] for condition, each in prompts.items()
        }
        now_loss = loss_by_prompt[current.key].loss if current else None
        return _EpisodeTest(
            helped=Tested(part=part, initial=losses["initial"].loss, now=now_loss),
            losses=self._losses(
                episode, {condition: loss.loss for condition, loss in losses.items()}, now_loss
            ),
            cached=sum(answer.cached for answer in answers),
            reason_unscored=next((loss.why for loss in losses.values() if loss.score is None), ""),
        )

    def _losses(
        self, episode: Episode, losses: dict[Condition, float | None], now: float | None
    ) -> EpisodeLosses:
        return EpisodeLosses(
            id=episode.id,
            task=episode.task,
            at=episode.created_at,
            version=persona_at(episode, self.versions).version,
            losses=losses,
            now=now,
        )

    def _prompt_now(
        self, episode: Episode, context: EpisodeContext, recalled: Sequence[Episode]
    ) -> ActorPrompt | None:
        """The prompt with the newest persona; None if that has learned nothing."""
        if not has_learned(self.versions):
            return None
        newest, settings = self.versions[-1], self.simulator.deps.settings
        recalled_by_id = {each.id: each for each in recalled}
        return build_actor_prompt(
            newest.rules, episode, context, recalled_by_id, settings, newest.weights
        )


def _simulator(deps: Dependencies, store: BaseStore) -> Simulator:
    """A simulator that has the user's memory, without the graph of alignment around it."""
    simulator = build_simulator(deps)
    for graph in simulator.answer_graphs.values():
        graph.store = store
    return simulator


async def _test_concurrently(
    run: _ScorecardRun, episodes: Sequence[Episode], on_progress: OnProgress
) -> list[_EpisodeTest]:
    """Test the episodes, as many at once as may be simulated at once."""
    slots = asyncio.Semaphore(run.simulator.deps.settings.simulations_at_once)
    done = 0

    async def test(episode: Episode) -> _EpisodeTest:
        nonlocal done
        async with slots:
            result = await run.test(episode)
        done += 1
        on_progress(done, len(episodes))
        return result

    return await asyncio.gather(*map(test, episodes))


def _warnings(tests: Sequence[_EpisodeTest]) -> list[str]:
    reasons = [test.reason_unscored for test in tests if not test.losses.complete]
    if not reasons:
        return []
    return [
        f"{len(reasons):,} of {counted(len(tests), 'episode')} left out: not all of their "
        f"answers could be simulated and judged; the first reason: {reasons[0]}"
    ]
