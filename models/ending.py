"""Why a model's reply ended: at its end, or before."""

from typing import Literal

from langchain_core.messages import AIMessage

Ending = Literal["whole", "length", "filtered", "unknown", "broken"]
"""``unknown``: the endpoint does not say. ``broken``: the reply is to be asked for again."""

DONE = "done"
"""Key in ``response_metadata``: whether the endpoint sent all that it had to send."""

ENDED = "ended"
"""Key in an episode's ``metadata``, where its answer is not known to be whole."""

_REASONS: dict[Ending, str] = {
    "length": "length max_tokens max_output_tokens model_length max_length",
    "filtered": "content_filter content-filter content_filtered safety image_safety recitation "
    "blocklist prohibited_content spii sensitive language",
    "broken": "error network_error insufficient_system_resource abort aborted cancelled",
}
"""What the values of ``finish_reason`` mean, other than that the reply is whole: those of OpenAI and
Azure; Anthropic, Gemini, Mistral, DeepSeek, GLM, vLLM, OpenRouter."""

_ENDINGS: dict[str, Ending] = {
    reason: ending for ending, reasons in _REASONS.items() for reason in reasons.split()
}

WARNINGS: dict[Ending, str] = {
    "length": "The answer was cut off at the model's token limit: what follows is missing.",
    "filtered": "The endpoint's content filter ended the answer early: what follows is missing.",
    "unknown": "The endpoint did not say why the answer ended: its end may be missing.",
}
"""What the user is told of an answer that is not known to be whole."""


def ending_of(message: AIMessage) -> Ending:
    """Why ``message`` ended."""
    metadata = message.response_metadata
    if reason := metadata.get("finish_reason"):
        return _ENDINGS.get(str(reason).lower().split(":")[0].strip(), "whole")
    if metadata.get("model_provider") != "openai":
        return "whole"
    return "unknown" if metadata.get(DONE) else "broken"
