"""Entries for an index, of two users."""

from personaagent.core.users import user_key
from personaagent.memory.index.bm25 import Bm25
from personaagent.memory.index.protocol import Embedding, Entry
from tests.support.embedder import BagEmbedder

ANNA, BEN = user_key("anna"), user_key("ben")
BM25 = Bm25()
EMBEDDER = BagEmbedder()


async def entries(*texts: str, start: int = 0) -> list[Entry]:
    """An entry a text: ``e0``, ``e1``, ... at the times 0, 1, ..."""
    vectors = await EMBEDDER.embed(texts)
    return [
        Entry(f"e{number}", float(number), Embedding(vector, BM25.document(text)))
        for number, (text, vector) in enumerate(zip(texts, vectors, strict=True), start)
    ]
