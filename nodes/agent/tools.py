"""``tools``: runs the tools that the actor asks for; a failure becomes a message to the actor."""

from langchain_core.tools import ToolException
from langgraph.prebuilt.tool_node import ToolInvocationError, ToolNode

from personaagent.core.audience import audience_message
from personaagent.core.errors import PersonaAgentError
from personaagent.nodes.dependencies import Dependencies


def tools(deps: Dependencies) -> ToolNode:
    """The node that runs ``search_wikipedia`` and ``recall_episodes``."""
    return ToolNode(deps.tools, handle_tool_errors=_error_message)


def _error_message(error: Exception) -> str:
    if isinstance(error, PersonaAgentError):
        return audience_message(error)
    if isinstance(error, ToolException | ToolInvocationError):  # sentences made for the model
        return str(error)
    return f"The tool failed ({type(error).__name__}); go on without it."
