"""A run in LangSmith: a dataset a task, an experiment a method, a traced run a sample.

LangSmith's ``aevaluate`` is not used: it calls a target with one example after another, where our
runner prepares a memory once for all questions of a case, skips the samples that a broken run has
finished, and writes each sample to disk before its scores are sent.
"""

import asyncio
import hashlib
import os
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from langsmith import Client
from langsmith.run_helpers import trace, tracing_context
from langsmith.run_trees import RunTree
from langsmith.schemas import Dataset, TracerSession
from langsmith.utils import LangSmithAuthError, LangSmithError, LangSmithNotFoundError

from personaagent.core.errors import ConfigurationError, PersonaAgentError, ServiceError
from personaagent.core.settings import Settings
from personaagent.core.users import user_key
from personaagent.eval.results import Result
from personaagent.eval.run_record import MadeWith
from personaagent.eval.samples import Query, Sample
from personaagent.eval.tracing import Trace

HASH_DIGITS = 16
RUN_DIGITS = 8
SEND_SECONDS = 60.0


@dataclass(frozen=True)
class LangSmithTraces:
    """Sends each sample with its nested runs, tags, metadata, and its scores as feedback.

    ``known`` are the ids of the examples that the datasets hold.
    """

    client: Client
    seed: int
    datasets: dict[str, Dataset]
    experiments: dict[tuple[str, str], TracerSession]
    known: set[uuid.UUID] = field(default_factory=set)

    @contextmanager
    def run(self) -> Iterator[None]:
        """Only samples are traced, not what prepares them."""
        with tracing_context(enabled=False):
            yield

    async def case(self, task: str, case: Sample, questions: Sequence[Query]) -> None:
        """Make sure that the dataset has an example of each question.

        Raises:
            ConfigurationError, ServiceError: LangSmith does not take them.
        """
        ids = {self._example(task, case, each): each for each in questions}
        new = {id_: each for id_, each in ids.items() if id_ not in self.known}
        if not new:
            return
        self.known.update(new)
        examples = [
            {
                "id": id_,
                "inputs": {"query": each.text},
                "reference_outputs": {"gold": each.gold},
                "metadata": {"user": _hashed(case.user_id), "case": case.id, "question": each.id},
            }
            for id_, each in new.items()
        ]
        with _as_our_errors():
            await asyncio.to_thread(
                self.client.create_examples,
                dataset_id=self.datasets[task].id,
                examples=examples,
            )

    @asynccontextmanager
    async def sample(
        self, task: str, method: str, case: Sample, question: Query
    ) -> AsyncIterator[Trace]:
        """One traced run; its scores are sent as feedback at its end.

        Raises:
            ConfigurationError, ServiceError: LangSmith does not take them.
        """
        experiment = self.experiments[task, method]
        with (
            tracing_context(enabled=True, client=self.client),
            trace(
                method,
                inputs={"query": question.text},
                project_name=experiment.name,
                tags=[task, method],
                metadata={"user": _hashed(case.user_id), "seed": self.seed, "task": task},
                reference_example_id=self._example(task, case, question),
                client=self.client,
            ) as run,
        ):
            ended = _Ended(run)
            yield ended
        if ended.sample is not None:
            with _as_our_errors():
                await asyncio.to_thread(self._feedback, run, experiment, ended.sample)

    async def flush(self) -> None:
        """Send what is still to be sent; a minute at most."""
        await asyncio.to_thread(self.client.flush, SEND_SECONDS)

    def _feedback(self, run: RunTree, experiment: TracerSession, sample: Result) -> None:
        for name, score in sample.scores.items():
            self.client.create_feedback(
                run.id,
                name,
                score=score,
                trace_id=run.trace_id,
                session_id=experiment.id,
                start_time=run.start_time,
            )

    def _example(self, task: str, case: Sample, question: Query) -> uuid.UUID:
        return uuid.uuid5(self.datasets[task].id, f"{case.id}/{question.id}")


@dataclass
class _Ended:
    """The trace of a sample: what the run gives out, once it is there."""

    run: RunTree
    sample: Result | None = None

    def end(self, sample: Result) -> None:
        self.sample = sample
        self.run.add_metadata({"persona_version": sample.persona_version})
        self.run.end(outputs={"answer": sample.text, "read": sample.read}, error=sample.failed)


async def langsmith_traces(project: str, made: MadeWith, settings: Settings) -> LangSmithTraces:
    """The datasets and experiments of this run under the name ``project``, made where missing.

    Raises:
        ConfigurationError: there is no key, LangSmith refuses it, or no content may be sent.
        ServiceError: LangSmith does not answer.
    """
    if not settings.trace_content:
        raise ConfigurationError(
            "--langsmith sends questions and answers, and PERSONAAGENT_TRACE_CONTENT is false: "
            "leave one of them out."
        )
    if not (os.environ.get("LANGSMITH_API_KEY") or os.environ.get("LANGCHAIN_API_KEY")):
        raise ConfigurationError("--langsmith needs a key: set LANGSMITH_API_KEY.")
    with _as_our_errors():
        return await asyncio.to_thread(_open, project, made)


def _open(project: str, made: MadeWith) -> LangSmithTraces:
    client = Client()
    run = hashlib.sha256(made.model_dump_json().encode()).hexdigest()[:RUN_DIGITS]
    options = made.options
    datasets = {task: _dataset(client, f"{project}-{task}") for task in options.tasks}
    experiments = {
        (task, method): client.create_project(
            f"{project}-{task}-{method}-{run}",
            upsert=True,
            reference_dataset_id=datasets[task].id,
            metadata={"task": task, "method": method, "seed": options.seed, "models": made.models},
        )
        for task in options.tasks
        for method in options.methods
    }
    known = {
        example.id
        for dataset in datasets.values()
        for example in client.list_examples(dataset_id=dataset.id, select=["id"])
    }
    return LangSmithTraces(client, options.seed, datasets, experiments, known)


def _dataset(client: Client, name: str) -> Dataset:
    try:
        dataset: Dataset = client.read_dataset(dataset_name=name)
    except LangSmithNotFoundError:
        dataset = client.create_dataset(name, description="Questions of `personaagent eval run`.")
    return dataset


def _hashed(user_id: str) -> str:
    return user_key(user_id)[:HASH_DIGITS]


@contextmanager
def _as_our_errors() -> Iterator[None]:
    try:
        yield
    except PersonaAgentError:
        raise
    except LangSmithAuthError as error:
        raise ConfigurationError("LangSmith refuses the key: check LANGSMITH_API_KEY.") from error
    except LangSmithError as error:
        raise ServiceError(
            f"LangSmith cannot be used now: {' '.join(str(error).split())}"
        ) from error
