"""What an answer of the demo cost, in words."""

from personaagent import Answer
from personaagent.core.counting import counted


def cost_of(answer: Answer) -> str:
    """Seconds, tools and model calls of ``answer``, and its tokens: those that the model read anew,
    those it had in its cache, and those it wrote."""
    usage = answer.usage
    cached = usage.get("cached_input_tokens", 0)
    tools = ", ".join(call.name for call in answer.tool_calls) or "none"
    return (
        f"{answer.seconds:.0f} s; tools: {tools}; {counted(usage['llm_calls'], 'model call')}: "
        f"{usage['input_tokens'] - cached:,} tokens read anew, {cached:,} from the cache, "
        f"{usage['output_tokens']:,} written"
    )
