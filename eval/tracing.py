"""Where the traces of a run go: nowhere, unless LangSmith was asked for."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from typing import Protocol

from langsmith.run_helpers import tracing_context

from personaagent.eval.results import Result
from personaagent.eval.samples import Query, Sample


class Trace(Protocol):
    """The trace of one sample, while it is made."""

    def end(self, sample: Result) -> None:
        """Record the result."""
        ...


class Traces(Protocol):
    """Receives the events of a run."""

    def run(self) -> AbstractContextManager[None]:
        """Around the whole run."""
        ...

    async def case(self, task: str, case: Sample, questions: Sequence[Query]) -> None:
        """These questions of the case come next."""
        ...

    def sample(
        self, task: str, method: str, case: Sample, question: Query
    ) -> AbstractAsyncContextManager[Trace]:
        """Around one sample."""
        ...

    async def flush(self) -> None:
        """Send what is still to be sent."""
        ...


class NoTraces:
    """Nothing leaves the machine, whatever the environment says of LangSmith."""

    @contextmanager
    def run(self) -> Iterator[None]:
        """Tracing off: the variables LANGSMITH_TRACING and LANGCHAIN_TRACING_V2 do not count."""
        with tracing_context(enabled=False):
            yield

    async def case(self, task: str, case: Sample, questions: Sequence[Query]) -> None:
        """Nothing."""

    @asynccontextmanager
    async def sample(
        self, task: str, method: str, case: Sample, question: Query
    ) -> AsyncIterator[Trace]:
        """Nothing."""
        yield self

    def end(self, sample: Result) -> None:
        """Nothing."""

    async def flush(self) -> None:
        """Nothing."""
