"""A reply that came in pieces, as one result."""

from collections.abc import AsyncIterator

from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.outputs import ChatGenerationChunk, ChatResult


async def whole_reply(pieces: AsyncIterator[ChatGenerationChunk]) -> ChatResult:
    """The reply that ``pieces`` make: LangChain's own way goes to another thread for it.

    Raises:
        ValueError: there is none.
    """
    return generate_from_stream(iter([piece async for piece in pieces]))
