"""One call of the actor, for the methods that need no graph."""

from collections.abc import Sequence

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.utils import convert_to_openai_messages
from tenacity import retry, retry_if_exception, stop_after_attempt

from personaagent.core.records import Episode, Usage
from personaagent.core.settings import Settings
from personaagent.eval.samples import Answered
from personaagent.models.chat import Models
from personaagent.models.invoke import invoke_model, is_transient
from personaagent.models.usage import usage_of
from personaagent.nodes.agent.prompt_budget import fit_episodes
from personaagent.prompts.render import render


def with_memories(
    prompt: str, episodes: Sequence[Episode], settings: Settings, **variables: str
) -> tuple[str, list[Episode]]:
    """The prompt of that name with as many of ``episodes`` (best first) as its budget has room for.

    Returns:
        The text, and the episodes that stand in it.
    """
    fixed_text = render(prompt, memories="", **variables)
    memories, shown = fit_episodes(episodes, fixed_text, settings)
    return render(prompt, memories=memories, **variables), shown


async def ask(models: Models, system: str, query: str, shown: Sequence[Episode] = ()) -> Answered:
    """The actor's answer to ``query``; ``shown`` are the episodes that stand in ``system``.

    Raises:
        ServiceError, ConfigurationError: as ``invoke_model`` raises them.
    """
    return await ask_in_conversation(models, [SystemMessage(system), HumanMessage(query)], shown)


@retry(retry=retry_if_exception(is_transient), stop=stop_after_attempt(2), reraise=True)
async def ask_in_conversation(
    models: Models, told: Sequence[BaseMessage], shown: Sequence[Episode]
) -> Answered:
    """The same at the end of a conversation. What breaks off is asked once more, as in the agent."""
    reply = await invoke_model(await models.chat("actor"), told, role="actor")
    return Answered(
        text=reply.text,
        usage=Usage().add("actor", usage_of(reply)),
        recalled=[each.id for each in shown],
        told=as_told(told),
    )


def as_told(messages: Sequence[BaseMessage]) -> list[dict[str, object]]:
    """The messages as ``{role, content}``, tool calls and all."""
    told = convert_to_openai_messages(messages)
    return told if isinstance(told, list) else [told]
