"""One call of the actor model, for solvers that need no graph."""

from collections.abc import Sequence

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.utils import convert_to_openai_messages
from tenacity import retry, retry_if_exception, stop_after_attempt

from personaagent.core.records import Episode, Usage
from personaagent.core.settings import Settings
from personaagent.eval.samples import SolverOutput
from personaagent.models.chat import Models
from personaagent.models.invoke import invoke_model, is_transient
from personaagent.models.usage import usage_of
from personaagent.nodes.agent.prompt_budget import fit_episodes
from personaagent.prompts.render import render


def fit_memories(
    prompt: str, episodes: Sequence[Episode], settings: Settings, **variables: str
) -> tuple[str, list[Episode]]:
    """Render a prompt with as many of ``episodes`` (best first) as the token budget allows.

    Returns:
        The text, and the episodes that it contains.
    """
    fixed_text = render(prompt, memories="", **variables)
    memories, shown = fit_episodes(episodes, fixed_text, settings)
    return render(prompt, memories=memories, **variables), shown


async def ask_actor(
    models: Models, system: str, query: str, shown: Sequence[Episode] = ()
) -> SolverOutput:
    """Ask the actor; ``shown`` are the episodes that the system prompt contains.

    Raises:
        ServiceError, ConfigurationError: as ``invoke_model`` raises them.
    """
    return await ask_actor_in_conversation(
        models, [SystemMessage(system), HumanMessage(query)], shown
    )


@retry(retry=retry_if_exception(is_transient), stop=stop_after_attempt(2), reraise=True)
async def ask_actor_in_conversation(
    models: Models, messages: Sequence[BaseMessage], shown: Sequence[Episode]
) -> SolverOutput:
    """Ask at the end of a conversation; a transient failure is retried once, as in the agent."""
    reply = await invoke_model(await models.chat("actor"), messages, role="actor")
    return SolverOutput(
        text=reply.text,
        usage=Usage().add("actor", usage_of(reply)),
        recalled=[episode.id for episode in shown],
        messages=to_role_content(messages),
    )


def to_role_content(messages: Sequence[BaseMessage]) -> list[dict[str, object]]:
    """The messages as ``{role, content}``, including tool calls."""
    converted = convert_to_openai_messages(messages)
    return converted if isinstance(converted, list) else [converted]
