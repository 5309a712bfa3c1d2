"""Entries for an index, of two users."""

from personaagent.core.users import user_key
from personaagent.memory.index.protocol import Entry, Passage
from personaagent.memory.terms import terms
from tests.support.embedder import BagEmbedder

ANNA, BEN = user_key("anna"), user_key("ben")
EMBEDDER = BagEmbedder()


async def entries(*texts: str, start: int = 0) -> list[Entry]:
    """An entry a text: ``e0``, ``e1``, ... at the times 0, 1, ..."""
    vectors = await EMBEDDER.embed(texts)
    return [
        Entry(
            f"e{number}",
            float(number),
            None,
            [Passage("query", 0, len(text), vector, terms(text))],
        )
        for number, (text, vector) in enumerate(zip(texts, vectors, strict=True), start)
    ]
