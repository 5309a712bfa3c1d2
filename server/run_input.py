"""What a run is asked, checked before the run, or anything of it, is stored."""

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import HumanMessage, convert_to_messages
from langgraph_sdk import Auth

from personaagent.core.audience import audience_message
from personaagent.core.errors import UsageError
from personaagent.nodes.agent.recall import latest_query


def refuse_unusable(run: Mapping[str, Any], limit: int) -> None:
    """Refuse a run whose message of the user ``recall`` would refuse: 422.

    Args:
        run: what the server is asked to create; LangGraph's server has its input among ``kwargs``.
        limit: the longest message, in characters.
    """
    run_input = run.get("input") or (run.get("kwargs") or {}).get("input")
    messages = run_input.get("messages") if isinstance(run_input, Mapping) else None
    if not messages:
        return
    try:
        asked = convert_to_messages(messages if isinstance(messages, list) else [messages])
        if any(isinstance(message, HumanMessage) for message in asked):
            latest_query(asked, limit)
    except UsageError as error:
        raise Auth.exceptions.HTTPException(422, audience_message(error)) from error
    except (ValueError, TypeError, LookupError, AttributeError, NotImplementedError) as error:
        raise Auth.exceptions.HTTPException(
            422, "The messages cannot be read: each has a role, and content."
        ) from error
