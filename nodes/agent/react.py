"""``react``: the actor answers, or asks for a tool (ReAct, arXiv 2210.03629)."""

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    message_to_dict,
)
from langgraph.runtime import Runtime

from personaagent.core.decision import ClosedQuestion
from personaagent.core.records import Usage
from personaagent.core.settings import Settings
from personaagent.core.states import AgentContext, AgentState
from personaagent.core.thread_messages import with_episode
from personaagent.memory.remembering import Remembering
from personaagent.models.ending import WARNINGS, ending_of
from personaagent.models.flatten_tool_messages import flatten_tool_messages
from personaagent.models.invoke import invoke_model
from personaagent.models.label_probabilities import (
    answer_probabilities,
    with_logprobs,
    without_logprobs,
)
from personaagent.models.metering import metered
from personaagent.models.tool_choice import RECALLED, RECALLED_MEMORIES, TOLD
from personaagent.models.usage import usage_of
from personaagent.nodes.agent.conversation import Conversation, conversation, with_text
from personaagent.nodes.agent.own_weights import own_weights
from personaagent.nodes.agent.prompt_budget import fit_instructions, fit_messages
from personaagent.nodes.agent.question import asks_to_choose
from personaagent.nodes.agent.telling import only_tells
from personaagent.nodes.agent.told_before import is_told
from personaagent.nodes.current_user import user_memory
from personaagent.nodes.decision.option_orders import (
    is_settled,
    mean_of_orders,
    reversed_options,
)
from personaagent.nodes.decision.possible_answers import possible_answers
from personaagent.nodes.dependencies import Dependencies
from personaagent.nodes.user_meter import turn_meter
from personaagent.prompts.render import render


async def react(
    state: AgentState, runtime: Runtime[AgentContext], *, deps: Dependencies
) -> dict[str, Any]:
    """One step of the actor, with tools; at ``max_steps`` it must answer with what it has.

    A message that only tells something is to be acknowledged, without tools: a small model would
    answer it from memory. A closed question that asks for the bare choice needs no tools either; its
    answer is shown when it has been decided (``decide``).

    Raises:
        ServiceError, ConfigurationError: as ``invoke_model`` raises them.
    """
    with metered(turn_meter(deps, runtime, state)):
        return await _step(state, runtime, deps)


async def _step(
    state: AgentState, runtime: Runtime[AgentContext], deps: Dependencies
) -> dict[str, Any]:
    talk = conversation(state["messages"])
    if asked := asks_to_choose(state):
        chosen = await _choose(state, talk, asked, deps)
        reply = await _with_episode(chosen["reply"], state, runtime, deps)
        return chosen | {"reply": message_to_dict(reply)}
    settings = deps.settings
    is_last_step = state["steps"] + 1 >= settings.max_steps
    tells = _only_tells(talk, runtime)
    prompt = _prompt(state, talk, settings)
    if tells:
        prompt = flatten_tool_messages(prompt)  # not every endpoint reads calls without tools
        prompt[-1] = with_text(prompt[-1], f"{talk.question}\n\n{render('acknowledge')}")
    if is_last_step and state["steps"] > 0:
        prompt = _at_the_cap(prompt, settings)
    actor = await deps.models.chat("actor")
    tools = None if is_last_step or tells else deps.tools
    reasoning = runtime.context is not None and runtime.context.reasoning
    reply = await invoke_model(actor, prompt, role="actor", tools=tools, reasoning=reasoning)
    return {"messages": [reply], **_counted(state, reply), **_warned(state, reply)}


async def _choose(
    state: AgentState, talk: Conversation, asked: ClosedQuestion, deps: Dependencies
) -> dict[str, Any]:
    """The actor's choice among the answers, with how probable each was to it.

    Options are asked in both orders where the first leaves a doubt (``is_settled``).
    """
    *before, last = flatten_tool_messages(_prompt(state, talk, deps.settings))
    model = await deps.models.chat("actor")

    async def ask(query: str, actor: BaseChatModel) -> tuple[AIMessage, dict[str, float] | None]:
        prompt = [*before, with_text(last, _to_choose(query, asked))]
        reply = await invoke_model(actor, prompt, role="actor", shown=False)
        return reply, answer_probabilities(reply, asked.answers)

    reply, chances = await ask(talk.question, with_logprobs(model))
    replies = [reply]
    other = reversed_options(talk.question, asked) if chances else None
    if chances and other and not _is_settled(asked, chances, state):
        # what a model reasons comes before its answer; the embedded one does not
        counts = with_logprobs(model, nothing_else=deps.settings.embedded)
        reply, reverse = await ask(other, counts)
        replies.append(reply)
        chances = mean_of_orders(asked, chances, reverse) if reverse else chances
    return {
        # as values: a stream of messages would show a message before it is decided
        "reply": without_logprobs(replies[0]),
        "chances": chances,
        **_counted(state, *replies),
    }


def _is_settled(asked: ClosedQuestion, chances: dict[str, float], state: AgentState) -> bool:
    return is_settled(asked, chances, state.get("names"), own_weights(asked, state))


async def _with_episode(
    reply: AIMessage, state: AgentState, runtime: Runtime[AgentContext], deps: Dependencies
) -> AIMessage:
    """The reply with the id of the episode that the turn becomes, if it is to be remembered."""
    id = state.get("episode_id")
    if not id or (runtime.context is not None and runtime.context.incognito):
        return reply
    paused = await Remembering(user_memory(deps.memory, runtime, state).store).is_paused()
    return reply if paused else with_episode(reply, id)


def _to_choose(query: str, asked: ClosedQuestion) -> str:
    return render("answer_closed", question=query, answers=possible_answers(asked, query))


def _counted(state: AgentState, *replies: AIMessage) -> dict[str, Any]:
    usage = Usage.model_validate(state["usage"])
    for reply in replies:
        usage = usage.add("actor", usage_of(reply))
    return {"steps": state["steps"] + len(replies), "usage": usage.stored()}


def _warned(state: AgentState, reply: AIMessage) -> dict[str, Any]:
    """The warnings of the turn, where the answer may not be whole."""
    warning = None if reply.tool_calls else WARNINGS.get(ending_of(reply))
    return {"warnings": [*state.get("warnings", []), warning]} if warning else {}


def _prompt(state: AgentState, talk: Conversation, settings: Settings) -> list[BaseMessage]:
    """The system prompt, and as much of the conversation as fits; the turn stands in it whole."""
    messages = fit_messages([*talk.earlier, *talk.turn], settings.history_tokens)
    instructions = fit_instructions(talk.instructions, state["system_prompt"], settings)
    return [_system_message(state, talk, instructions), *messages]


def _system_message(state: AgentState, talk: Conversation, instructions: str) -> SystemMessage:
    """The system prompt; beside it the user's words in its memories (``RECALLED``), and whether they
    tell what is asked (``TOLD``).

    What the client itself put into the thread as system messages comes at its end.
    """
    recalled = [each for each in state.get("recalled", []) if each.get("superseded_by") is None]
    prompt = state["system_prompt"]
    marks = {
        RECALLED: [_short_text(each) for each in recalled],
        TOLD: is_told(talk.question, recalled[:RECALLED_MEMORIES]) and not talk.has_media,
    }
    if instructions:
        prompt += "\n\n" + render("application", instructions=instructions)
    return SystemMessage(prompt, additional_kwargs=marks)


def _at_the_cap(prompt: list[BaseMessage], settings: Settings) -> list[BaseMessage]:
    """``prompt``, which asks for an answer: after a tool's result no message of the user may follow,
    except where tool messages are turned into the user's (``flatten_tool_messages``)."""
    *before, last = prompt
    if settings.json_tools or not isinstance(last, ToolMessage):
        return [*prompt, HumanMessage(render("at_the_cap"))]
    text = f"{last.text}\n\n{render('at_the_cap')}"
    return [*before, last.model_copy(update={"content": text})]


def _short_text(episode: dict[str, Any]) -> str:
    return " ".join(filter(None, (episode["query"], episode.get("ground_truth"))))


def _only_tells(talk: Conversation, runtime: Runtime[AgentContext]) -> bool:
    """Whether the user's message asks for nothing; of a task, each message does."""
    if len(talk.turn) > 1 or not only_tells(talk.question):
        return False
    return runtime.context is None or runtime.context.task is None
