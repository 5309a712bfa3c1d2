"""What the machinery of graphs and files raises, as errors of our own."""

from collections.abc import Iterator
from contextlib import contextmanager

from langgraph.errors import NodeTimeoutError

from personaagent.core.errors import ModelUnavailable
from personaagent.memory.storage_errors import storage_errors


@contextmanager
def run_errors() -> Iterator[None]:
    """Turn what a run of a graph may raise into one sentence (``ServiceError``, ``DataError``)."""
    with storage_errors():
        try:
            yield
        except NodeTimeoutError as error:
            raise ModelUnavailable(
                f"The step '{error.node}' took over {error.timeout:g} s and was given up: try again, "
                "or raise PERSONAAGENT_MODEL_TIMEOUT (PERSONAAGENT_EMBEDDED_TIMEOUT)."
            ) from error
