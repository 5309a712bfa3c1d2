"""How checkpoints are read: as values and messages, and never as any object that their bytes may name."""

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer


def strict_serializer() -> JsonPlusSerializer:
    """A serialiser that reads of LangGraph's and LangChain's own types only those known to be safe.

    Anything else it gives back as plain values. The states of our graphs hold nothing else.
    """
    return JsonPlusSerializer(allowed_msgpack_modules=None)
