"""``question``: whether the answer to the user's message comes from a set, and what is near to it."""

from typing import Any

from langgraph.runtime import Runtime

from personaagent.core.decision import ClosedQuestion
from personaagent.core.states import AgentContext, AgentState, thread_to_note
from personaagent.memory.facts import nameable_labels
from personaagent.memory.label_counts import LabelCounts
from personaagent.memory.similar_labels import SimilarLabel
from personaagent.memory.user import UserMemory
from personaagent.nodes.agent.remember import this_turn
from personaagent.nodes.current_user import user_memory
from personaagent.nodes.decision.closed_question import closed_question
from personaagent.nodes.dependencies import Dependencies

NEAREST = 20
"""How many labels vote."""


async def question(
    state: AgentState, runtime: Runtime[AgentContext], *, deps: Dependencies
) -> dict[str, Any]:
    """The closed question of this turn, and the labels that are nearest to it; no model is called.

    What the turn will name of the user's labels is noted with its thread, so that forgetting a label
    finds it.
    """
    query, memory = query_of(state), user_memory(deps.memory, runtime)
    context = runtime.context
    answers, task = ((), None) if context is None else (context.answers, context.task)
    counts = await counts_of(memory, task)
    asked = closed_question(query, answers, task, counts)
    if asked is None:
        return {"question": None, "similar": [], "decision": None, "reply": None}
    similar = await _similar(memory, query, asked)
    if thread := thread_to_note(runtime):
        await _note(memory, thread, counts, similar)
    return {
        "question": asked.stored(),
        "similar": [list(label) for label in similar],
        "decision": None,
        "reply": None,
    }


async def counts_of(memory: UserMemory, task: str | None) -> LabelCounts | None:
    """The user's labels of the task; None if there are none."""
    all_counts = await memory.profile.label_counts()
    return next((counts for counts in all_counts if counts.task == task), None)


def query_of(state: AgentState) -> str:
    """The user's last message."""
    return this_turn(state["messages"])[0].text


def question_of(state: AgentState) -> ClosedQuestion | None:
    """The closed question of this turn; None if it is open."""
    stored = state.get("question")
    return None if stored is None else ClosedQuestion.model_validate(stored)


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
