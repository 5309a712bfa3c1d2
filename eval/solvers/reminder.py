"""``reminder``: the history as a conversation, and PrefEval's one line after the question.

Source: Zhao et al. 2025, arXiv 2502.09597.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from personaagent.core.records import Episode
from personaagent.core.tokens import estimate_tokens
from personaagent.eval.samples import Answered, Query, Sample
from personaagent.eval.solvers.ask import ask_in_conversation
from personaagent.eval.solvers.environment import EvalEnvironment
from personaagent.nodes.agent.prompt_budget import remaining_tokens
from personaagent.prompts.render import render

NO_ANSWER = "Noted."
"""Stands for an answer where none is known: many models insist on taking turns."""


@dataclass(frozen=True)
class Reminder:
    """Shows the latest of the history, as much as the prompt's budget has room for."""

    name: str = "reminder"
    asks: bool = True
    recalls: None = None

    @asynccontextmanager
    async def ready(self, case: Sample, lab: EvalEnvironment) -> AsyncIterator["_Answerer"]:
        """See how much of the history fits."""
        remaining = remaining_tokens(render("plain"), lab.settings)
        yield _Answerer(lab, latest_within(case.history, remaining))


@dataclass(frozen=True)
class _Answerer:
    lab: EvalEnvironment
    shown: Sequence[Episode]
    learned: None = None

    async def answer(self, question: Query) -> Answered:
        asked = HumanMessage(f"{question.query}\n{render('eval_reminder')}")
        earlier = [message for each in reversed(self.shown) for message in _turns(each)]
        told = [SystemMessage(render("plain")), *earlier, asked]
        return await ask_in_conversation(self.lab.models, told, self.shown)


def latest_within(history: Sequence[Episode], most_tokens: int) -> list[Episode]:
    """The latest of ``history`` that fit into ``most_tokens``, newest first, without a gap."""
    kept: list[Episode] = []
    for episode in reversed(history):
        most_tokens -= sum(estimate_tokens(turn.text) for turn in _turns(episode))
        if most_tokens < 0:
            break
        kept.append(episode)
    return kept


def _turns(episode: Episode) -> list[BaseMessage]:
    said = episode.ground_truth or episode.response or NO_ANSWER
    return [HumanMessage(episode.query), AIMessage(said)]
