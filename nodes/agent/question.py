"""``question``: whether the answer to the user's message comes from a set, and what is near to it."""

import asyncio
from typing import Any

from langgraph.runtime import Runtime

from personaagent.core.decision import ClosedQuestion, QuestionKind
from personaagent.core.states import AgentContext, AgentState, thread_to_note
from personaagent.memory.facts import nameable_labels
from personaagent.memory.label_counts import LabelCounts
from personaagent.memory.recognition import Recognised
from personaagent.memory.similar_labels import SimilarLabel
from personaagent.memory.user import UserMemory
from personaagent.nodes.agent.answer_names import answer_names
from personaagent.nodes.agent.branches import branch_memory
from personaagent.nodes.agent.conversation import question_of as text_of_question
from personaagent.nodes.decision.bare_choice import asks_for_bare_choice
from personaagent.nodes.decision.closed_question import closed_question
from personaagent.nodes.dependencies import Dependencies

NEAREST = 20
"""How many labels vote."""
NOTHING_CLOSED: dict[str, Any] = {
    "question": None,
    "similar": [],
    "names": None,
    "reply": None,
    "chances": None,
    "decision": None,
}
"""What an open question leaves in the state; a closed one of the turn before must not stay there."""


async def question(
    state: AgentState, runtime: Runtime[AgentContext], *, deps: Dependencies
) -> dict[str, Any]:
    """The closed question of this turn, the labels that are nearest to it, and what the names of its
    answers say; no model is called.

    What the turn will name of the user's labels is noted with its thread, so that forgetting a label
    finds it.
    """
    query = query_of(state)
    if not query:
        return {**NOTHING_CLOSED}  # only a picture
    memory = await branch_memory(deps.memory, state, runtime)
    context = runtime.context
    answers, label = ((), None) if context is None else (context.answers, context.task)
    task, instruction, counts = await recognised(memory, query, label)
    asked = closed_question(query, answers, task, counts, instruction)
    if asked is None:
        return {**NOTHING_CLOSED}
    similar, names = await asyncio.gather(
        _similar(memory, query, asked), answer_names(asked, query, memory, counts)
    )
    if thread := thread_to_note(runtime):
        await _note(memory, thread, counts, similar)
    return NOTHING_CLOSED | {
        "question": asked.stored(),
        "similar": [list(label) for label in similar],
        "names": names,
    }


async def recognised(memory: UserMemory, query: str, label: str | None) -> Recognised:
    """The task of ``query``, whose label is ``label``, with the user's labels of it."""
    found = await memory.recognise(query, label)
    if found.labels is not None:
        return found
    all_counts = await memory.profile.label_counts()
    of_task = (counts for counts in all_counts if counts.task == found.task)
    return found._replace(labels=next(of_task, None))


def query_of(state: AgentState) -> str:
    """The user's last message."""
    return text_of_question(state["messages"])


def question_of(state: AgentState) -> ClosedQuestion | None:
    """The closed question of this turn; None if it is open."""
    stored = state.get("question")
    return None if stored is None else ClosedQuestion.model_validate(stored)


def asks_to_choose(state: AgentState) -> ClosedQuestion | None:
    """The closed question of this turn, if it asks for the bare choice; else None."""
    asked = question_of(state)
    return asked if asked and asks_for_bare_choice(query_of(state), asked) else None


def kind_of_choice(state: AgentState) -> QuestionKind | None:
    """What this turn asks to choose from; None if it does not ask for the bare choice."""
    asked = asks_to_choose(state)
    return asked.kind if asked else None


def similar_of(state: AgentState) -> list[SimilarLabel]:
    """The labels that are nearest to the question, nearest first."""
    return [SimilarLabel(*label) for label in state.get("similar") or []]


async def _similar(memory: UserMemory, query: str, asked: ClosedQuestion) -> list[SimilarLabel]:
    if asked.kind == "options":
        return []  # which mark was right says nothing of another question
    return await memory.similar_labels(query, asked.task, NEAREST)


async def _note(
    memory: UserMemory, thread: str, counts: LabelCounts | None, similar: list[SimilarLabel]
) -> None:
    if similar:
        await memory.conversations.note(thread, [label.episode_id for label in similar])
    if names := sorted(nameable_labels([counts] if counts else [])):
        await memory.conversations.note(thread, named=names, key=str(names))
