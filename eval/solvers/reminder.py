"""``reminder``: the history as a conversation, and PrefEval's reminder after the query.

Source: Zhao et al. 2025, arXiv 2502.09597.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from personaagent.core.records import Episode
from personaagent.core.tokens import estimate_tokens
from personaagent.eval.samples import Query, Sample, SolverOutput
from personaagent.eval.solvers.actor_call import ask_actor_in_conversation
from personaagent.eval.solvers.environment import EvalEnvironment
from personaagent.nodes.agent.prompt_budget import remaining_tokens
from personaagent.prompts.render import render

PLACEHOLDER_ANSWER = "Noted."
"""Where an episode has no answer: many models insist on alternating turns."""


@dataclass(frozen=True)
class ReminderSolver:
    """Shows the newest episodes of the history, as many as the token budget allows."""

    name: str = "reminder"
    uses_model: bool = True
    prepare_recall: None = None

    @asynccontextmanager
    async def prepare(
        self, sample: Sample, environment: EvalEnvironment
    ) -> AsyncIterator["_Answerer"]:
        """Choose the episodes that fit."""
        remaining = remaining_tokens(render("plain"), environment.settings)
        yield _Answerer(environment, latest_within(sample.history, remaining))


@dataclass(frozen=True)
class _Answerer:
    environment: EvalEnvironment
    shown: Sequence[Episode]
    training_result: None = None

    async def answer(self, query: Query) -> SolverOutput:
        reminded_query = HumanMessage(f"{query.text}\n{render('eval_reminder')}")
        earlier = [message for episode in reversed(self.shown) for message in _turns(episode)]
        messages = [SystemMessage(render("plain")), *earlier, reminded_query]
        return await ask_actor_in_conversation(self.environment.models, messages, self.shown)


def latest_within(history: Sequence[Episode], most_tokens: int) -> list[Episode]:
    """The newest episodes that fit into ``most_tokens``, newest first, without a gap."""
    fitting: list[Episode] = []
    for episode in reversed(history):
        most_tokens -= sum(estimate_tokens(turn.text) for turn in _turns(episode))
        if most_tokens < 0:
            break
        fitting.append(episode)
    return fitting


def _turns(episode: Episode) -> list[BaseMessage]:
    answer = episode.ground_truth or episode.response or PLACEHOLDER_ANSWER
    return [HumanMessage(episode.query), AIMessage(answer)]
