"""What a call cost."""

from langchain_core.messages import AIMessage

from personaagent.core.records import RoleUsage

LLM_CALLS = "llm_calls"


def usage_of(message: AIMessage) -> RoleUsage:
    """Calls and tokens behind ``message``; tokens are 0 where the endpoint does not count them.

    A message that took several calls says so in ``response_metadata["llm_calls"]``.
    """
    tokens = message.usage_metadata
    return RoleUsage(
        llm_calls=message.response_metadata.get(LLM_CALLS, 1),
        input_tokens=tokens["input_tokens"] if tokens else 0,
        output_tokens=tokens["output_tokens"] if tokens else 0,
        cached_input_tokens=tokens.get("input_token_details", {}).get("cache_read", 0)
        if tokens
        else 0,
    )
