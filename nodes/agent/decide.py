"""``decide``: weighs what history, model and names say of a closed question, and answers with the best."""

from typing import Any

from langchain_core.messages import AIMessage, messages_from_dict
from langgraph.runtime import Runtime

from personaagent.core.decision import ClosedQuestion, Decision
from personaagent.core.errors import IndexUnavailable, ServiceError
from personaagent.core.prometheus import count_failure
from personaagent.core.records import Persona
from personaagent.core.states import AgentContext, AgentState, SimulatedContext
from personaagent.core.weights import Weights
from personaagent.memory.label_counts import LabelCounts
from personaagent.memory.user import UserMemory
from personaagent.nodes.agent.branches import branch_memory
from personaagent.nodes.agent.question import query_of, question_of, recognised, similar_of
from personaagent.nodes.decision.closed_question import is_given
from personaagent.nodes.decision.defaults import RECENT, RELIABILITY, weights_for
from personaagent.nodes.decision.history import are_truth_values, history_of
from personaagent.nodes.decision.history_votes import flattened, nearness
from personaagent.nodes.decision.listed import without_list
from personaagent.nodes.decision.name_votes import cosine, name_votes
from personaagent.nodes.decision.reply import choice_in, one_vote, settled
from personaagent.nodes.decision.spelling import AnswerOf
from personaagent.nodes.decision.weighing import weigh
from personaagent.nodes.dependencies import Dependencies

MOST_NAMES = 40
"""With more answers than this their names are not embedded."""


async def decide(
    state: AgentState, runtime: Runtime[AgentContext], *, deps: Dependencies
) -> dict[str, Any]:
    """Decide a closed question; an open one passes through.

    Where the question asks for the bare choice, the model's reply is replaced by the decided answer,
    under the same id. A text that says more stays as it is, and the decision stands beside it.
    """
    asked, held = question_of(state), state.get("reply")
    if asked is None:
        return {}
    [reply] = messages_from_dict([held]) if held else state["messages"][-1:]
    assert isinstance(reply, AIMessage)
    memory = await branch_memory(deps.memory, state, runtime)
    labels = (await recognised(memory, query_of(state), asked.task)).labels
    decision = await _decision(asked, reply, state, memory, labels)
    if decision is None:
        return {"messages": [reply], "reply": None} if held else {}
    answers = runtime.context.answers if runtime.context else ()
    given = is_given(asked, query_of(state), answers)
    decision = settled(decision, reply.text, bare=held is not None, given=given)
    if isinstance(runtime.context, SimulatedContext):
        decision = _for_fitting(decision, state, labels)
    return {
        "decision": decision.stored(),
        "reply": None,
        "messages": [_replaced(reply, decision)] if held else [],
    }


async def _decision(
    asked: ClosedQuestion,
    reply: AIMessage,
    state: AgentState,
    memory: UserMemory,
    labels: LabelCounts | None,
) -> Decision | None:
    """The decision by all sources that say anything; None if none does."""
    weights = _weights(asked, state)
    history = history_of(asked, labels, similar_of(state), weights)
    model = state.get("chances")
    if model is None:
        model = one_vote(choice_in(reply.text, asked), asked, RELIABILITY)
    has_chosen = labels is not None and bool(labels.counts)  # else names say nothing of the user
    asks_names = has_chosen and weights.names
    names = await _names(asked, query_of(state), memory) if asks_names else None
    if history is None and model is None and names is None:
        return None
    return weigh(asked, history, model, names, weights)


def _for_fitting(decision: Decision, state: AgentState, labels: LabelCounts | None) -> Decision:
    """The decision, with what alignment fits weights on: what the history says by ``RECENT``, and the
    answers that it holds."""
    asked = decision.question
    weights = _weights(asked, state).model_copy(update={"half_life": RECENT})
    recent = history_of(asked, labels, similar_of(state), weights)
    answer_of = AnswerOf(asked.answers)
    chosen = {answer_of.get(token) for token in (labels.counts if labels else ())}
    before = [answer for answer in asked.answers if answer in chosen]
    return decision.model_copy(update={"recent_history": recent, "chosen_before": before})


def _weights(asked: ClosedQuestion, state: AgentState) -> Weights:
    persona = state.get("persona")
    own = Persona.model_validate(persona).weights if persona else []
    return weights_for(asked, own)


async def _names(asked: ClosedQuestion, query: str, memory: UserMemory) -> dict[str, float] | None:
    """What the names of labels, or the texts of options, say; None if they say nothing.

    Options count by how near they are to the user's history of the task. Who has not chosen there before
    may as well have written that they dislike what an option is near to.
    """
    nameless = asked.kind == "numbers" or are_truth_values(asked.answers)
    if nameless or len(asked.answers) > MOST_NAMES:
        return None
    try:
        if asked.kind == "labels":
            return await _label_names(asked, query, memory)
        return await _option_names(asked, memory) if asked.task else None
    except (TimeoutError, IndexUnavailable, ServiceError) as error:
        count_failure(error)
        return None


async def _label_names(asked: ClosedQuestion, query: str, memory: UserMemory) -> dict[str, float]:
    split = (await memory.recaller.instructions()).split(query)
    differing = without_list(query[split.start : split.end])
    asks, *names = await memory.indexer.embedder.embed([differing, *asked.answers])
    return name_votes({y: cosine(asks, name) for y, name in zip(asked.answers, names, strict=True)})


async def _option_names(asked: ClosedQuestion, memory: UserMemory) -> dict[str, float] | None:
    nearest = {}
    for answer, text in zip(asked.answers, asked.texts, strict=True):
        scores = await memory.recaller.dense_scores(text, 1)
        if scores is None or scores.dense is None or not len(scores):
            return None
        nearest[answer] = float(scores.dense.max())
    return flattened(name_votes(nearest), nearness(max(nearest.values())))


def _replaced(reply: AIMessage, decision: Decision) -> AIMessage:
    """The message to show: the decided answer, or the reply that keeps its text."""
    return reply.model_copy(update={"content": decision.answer}) if decision.applied else reply
