"""BM25 as sparse vectors: the term weights are computed here, the index multiplies by the idf."""

from typing import Any

from personaagent.memory.index.protocol import SparseVector


class Bm25:
    """Tokenizes and stems English; words of other languages are not stemmed.

    Weights follow BM25 (Robertson and Zaragoza 2009) with k = 1.2, b = 0.75 and an average
    length of 24 terms, about that of a question.
    """

    def __init__(self) -> None:
        from qdrant_edge import Bm25 as Model
        from qdrant_edge import Bm25Config

        self._model = Model(Bm25Config(avg_len=24))

    def document(self, text: str) -> SparseVector:
        """The term weights of an episode's query, for the index."""
        return _sparse(self._model.embed_document(text))

    def query(self, text: str) -> SparseVector:
        """The term weights of a query, for a search."""
        return _sparse(self._model.embed_query(text))


def _sparse(vector: Any) -> SparseVector:
    return SparseVector(indices=list(vector.indices), values=list(vector.values))
