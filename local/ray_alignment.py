"""The alignments of many users as one table on Ray Data: each row is a user.

Workers are processes on the machine that holds the data folder, and share it. Each aligns several users
at once, and asks the same endpoint as a single process would, or a vLLM of its own. Whatever a worker has
done is in the data folder: if it is killed, Ray starts another, which goes on from the last checkpoint of
each of its users.
"""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from personaagent.core.errors import (
    ConfigurationError,
    PersonaAgentError,
    ServiceError,
    UsageError,
    error_named,
)
from personaagent.core.extras import requires_extra
from personaagent.core.settings import Settings
from personaagent.local.agent import LocalAgent, open_local
from personaagent.local.alignments import UserAlignment, align_user
from personaagent.local.vllm_server import vllm_settings

if TYPE_CHECKING:
    from ray.data import Dataset

MOST_BLOCKS = 4_096
MOST_RETRIES = 5
"""How often a row is tried again whose worker died: it may be the row that kills it."""
MOST_STARTS = 3
"""How often Ray is started: on a busy machine it gives up after 30 s."""
REACHABLE_WITHIN = 5.0
"""Seconds."""
PRIVATE = 0o077


@dataclass(frozen=True)
class AlignmentJob:
    """What every worker needs to know.

    Args:
        settings: with the data folder, which the workers see too.
        options: of each alignment, as of ``LocalAgent.align``.
        after: how many new labels make a user due.
        users_at_once: how many users one worker aligns at the same time.
        vllm: the model that each worker serves itself, on a GPU of its own; None asks the endpoint
            of the settings.
    """

    settings: Settings
    options: dict[str, Any]
    after: int
    users_at_once: int
    vllm: str | None = None


class AlignmentWorker:
    """Aligns the users of its rows, on an agent that stays open."""

    def __init__(self, job: AlignmentJob) -> None:
        os.umask(PRIVATE)
        self._job = job
        self._slots = asyncio.Semaphore(job.users_at_once)
        self._opening = asyncio.Lock()
        self._stack = AsyncExitStack()
        self._agent: LocalAgent | None = None
        self._failure: PersonaAgentError | None = None

    async def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row of a user, with ``result`` (a ``UserAlignment`` as JSON), ``failure`` (the name of
        the error's class, else empty) and ``worker`` (the id of this process)."""
        async with self._slots:
            result, failure = await self._align(row["user"])
        name = type(failure).__name__ if failure else ""
        return {**row, "result": result.model_dump_json(), "failure": name, "worker": os.getpid()}

    async def _align(self, user: str) -> tuple[UserAlignment, Exception | None]:
        """Align the user, unless a worker that died afterwards has done so."""
        try:
            agent = await self._opened()
        except PersonaAgentError as error:
            return UserAlignment(user_id=user, error=str(error)), error
        if not await agent.memory(user).unaligned.due(self._job.after):
            return UserAlignment(user_id=user, alignment=await agent.last_alignment(user)), None
        return await align_user(agent, user, self._job.options)

    async def _opened(self) -> LocalAgent:
        """The agent of this worker; if it could not be opened, that is not tried again."""
        async with self._opening:
            if self._failure is not None:
                raise self._failure
            if self._agent is None:
                try:
                    self._agent = await self._open()
                except PersonaAgentError as error:
                    self._failure = error
                    raise
            return self._agent

    async def _open(self) -> LocalAgent:
        settings, enter = self._job.settings, self._stack.enter_async_context
        if self._job.vllm is not None:
            settings = await enter(vllm_settings(settings, self._job.vllm))
        return await enter(open_local(settings))


def align_on_ray(
    address: str, users: Sequence[str], job: AlignmentJob
) -> Iterator[tuple[UserAlignment, Exception | None]]:
    """Align these users on the workers of a Ray cluster; yields each user who is ready.

    Args:
        address: ``local`` starts Ray on this machine, ``auto`` finds the one that runs here;
            ``HOST:PORT`` is that of a cluster that this machine is part of.
        users: whose personas.
        job: what the workers need to know.

    Raises:
        ConfigurationError: Ray is not installed, or lacks the GPU that vLLM needs.
        UsageError: the address is that of a client, which is not part of the cluster.
        ServiceError: no cluster answers, or its workers cannot run this.
    """
    if "://" in address:
        raise UsageError(
            f"--ray {address}: alignment works on the data folder of this machine, so this machine "
            "must be part of the cluster. Say local, auto or HOST:PORT."
        )
    with _connected(address):
        for row in _table(users, job).iter_rows():
            yield UserAlignment.model_validate_json(row["result"]), _failure(row)


def _table(users: Sequence[str], job: AlignmentJob) -> "Dataset":
    import ray
    from ray.data import ActorPoolStrategy
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = ray.get_runtime_context().get_node_id()
    resource = "CPU" if job.vllm is None else "GPU"
    rows = ray.data.from_items(
        [{"user": user} for user in users], override_num_blocks=min(len(users), MOST_BLOCKS)
    )
    worker: Any = AlignmentWorker  # Ray takes a class with an asynchronous call; its types do not
    return rows.map(
        worker,
        fn_constructor_kwargs={"job": job},
        num_cpus=1,
        num_gpus=None if job.vllm is None else 1,
        compute=ActorPoolStrategy(
            size=min(len(users), _available(here, resource)),
            max_tasks_in_flight_per_actor=job.users_at_once,
            max_concurrent_calls_per_actor=job.users_at_once,
        ),
        scheduling_strategy=NodeAffinitySchedulingStrategy(here, soft=False),
        max_task_retries=MOST_RETRIES,
    )


def _available(node: str, resource: str) -> int:
    """How many of that resource Ray may use on that machine."""
    import ray

    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    [resources] = [each["Resources"] for each in nodes if each["NodeID"] == node]
    if count := int(resources.get(resource, 0)):
        return count
    raise ConfigurationError(
        f"Ray may use no {resource} of this machine: start it with `ray start --num-{resource.lower()}s`"
        + (", or leave out --vllm and set OPENAI_BASE_URL." if resource == "GPU" else ".")
    )


@contextmanager
def _connected(address: str) -> Iterator[None]:
    """Connect to the cluster while the block runs.

    Ray reports to nobody. What it prints goes to standard error: standard output is for the result.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    with requires_extra("ray", "--ray"):
        import ray
        from ray.exceptions import RayError
    with redirect_stdout(sys.stderr):
        try:
            _connect(address)
            yield
        except RayError as error:
            raise ServiceError(
                f"The workers of Ray failed ({_first_line(error)}). What they have done is kept: run "
                "this again. Ray must be started from the environment of this command."
            ) from error
        finally:
            ray.shutdown()


def _connect(address: str) -> None:
    from ray.data import DataContext

    starts = MOST_STARTS if address == "local" else 1
    for left in reversed(range(starts)):
        try:
            _init(address)
            break
        except Exception as error:  # Ray has no class for it
            if left == 0:
                raise ServiceError(
                    f"Ray at {address} cannot be used ({_first_line(error)}): start it with `ray start "
                    "--head` from the environment of this command, or say --ray local."
                ) from error
    DataContext.get_current().enable_progress_bars = False


def _init(address: str) -> None:
    import ray

    _check_reachable(address)
    ray.shutdown()
    ray.init(
        address,
        include_dashboard=False if address == "local" else None,
        logging_level=logging.ERROR,
        log_to_driver=False,
    )


def _check_reachable(address: str) -> None:
    """Ray itself tries for minutes, and cannot be interrupted meanwhile."""
    host, colon, port = address.rpartition(":")
    if colon:
        socket.create_connection((host.strip("[]"), int(port)), REACHABLE_WITHIN).close()


def _failure(row: dict[str, Any]) -> Exception | None:
    """The error of a row, of the same kind as in one process."""
    if not row["failure"]:
        return None
    sentence = UserAlignment.model_validate_json(row["result"]).error or ""
    return error_named(row["failure"], sentence)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
