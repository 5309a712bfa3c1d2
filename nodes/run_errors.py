"""The errors of graph runs and of storage, as errors of our own."""

from collections.abc import Iterator
from contextlib import contextmanager

from langgraph.errors import NodeTimeoutError

from personaagent.core.errors import ModelUnavailable
from personaagent.memory.storage_errors import storage_errors


@contextmanager
def run_errors() -> Iterator[None]:
    """Raise what a graph run may raise as a ``ServiceError`` or ``DataError`` of one sentence."""
    with storage_errors():
        try:
            yield
        except NodeTimeoutError as error:
            raise ModelUnavailable(
                f"The step '{error.node}' took over {error.timeout:g} s and was given up: try again, "
                "or raise PERSONAAGENT_MODEL_TIMEOUT (PERSONAAGENT_EMBEDDED_TIMEOUT)."
            ) from error
