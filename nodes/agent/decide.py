"""``decide``: weighs what history, model and names say of a closed question, and answers with the best."""

from typing import Any

from langchain_core.messages import AIMessage, messages_from_dict
from langgraph.runtime import Runtime

from personaagent.core.decision import ClosedQuestion, Decision
from personaagent.core.states import AgentContext, AgentState, SimulatedContext
from personaagent.memory.label_counts import LabelCounts
from personaagent.nodes.agent.branches import branch_memory
from personaagent.nodes.agent.own_weights import own_weights
from personaagent.nodes.agent.question import query_of, question_of, recognised, similar_of
from personaagent.nodes.decision.closed_question import is_given
from personaagent.nodes.decision.defaults import RECENT, RELIABILITY
from personaagent.nodes.decision.history import history_of
from personaagent.nodes.decision.reply import choice_in, one_vote, settled
from personaagent.nodes.decision.spelling import AnswerOf
from personaagent.nodes.decision.weighing import weigh
from personaagent.nodes.dependencies import Dependencies


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
    decision = _decision(asked, reply, state, labels)
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


def _decision(
    asked: ClosedQuestion, reply: AIMessage, state: AgentState, labels: LabelCounts | None
) -> Decision | None:
    """The decision by all sources that say anything; None if none does."""
    weights = own_weights(asked, state)
    history = history_of(asked, labels, similar_of(state), weights)
    model = state.get("chances")
    if model is None:
        model = one_vote(choice_in(reply.text, asked), asked, RELIABILITY)
    names = state.get("names") if weights.names else None
    if history is None and model is None and names is None:
        return None
    return weigh(asked, history, model, names, weights)


def _for_fitting(decision: Decision, state: AgentState, labels: LabelCounts | None) -> Decision:
    """The decision, with what alignment fits weights on: what the history says by ``RECENT``, and the
    answers that it holds."""
    asked = decision.question
    weights = own_weights(asked, state).model_copy(update={"half_life": RECENT})
    recent = history_of(asked, labels, similar_of(state), weights)
    answer_of = AnswerOf(asked.answers)
    chosen = {answer_of.get(token) for token in (labels.counts if labels else ())}
    before = [answer for answer in asked.answers if answer in chosen]
    return decision.model_copy(update={"recent_history": recent, "chosen_before": before})


def _replaced(reply: AIMessage, decision: Decision) -> AIMessage:
    """The message to show: the decided answer, or the reply that keeps its text."""
    return reply.model_copy(update={"content": decision.answer}) if decision.applied else reply
