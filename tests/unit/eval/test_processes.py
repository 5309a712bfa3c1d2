"""What the process that hands out samples does about its workers."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

import pytest

from personaagent.core.errors import Conflict, PersonaAgentError, ServiceError
from personaagent.core.settings import load_settings
from personaagent.eval import processes
from personaagent.eval.processes import ERROR, MOST_DEATHS, Job


def run_of(*numbers: int) -> processes._Run:
    nothing: Any = None
    records: Any = []
    job = Job(nothing, load_settings(), Path(), frozenset())
    return processes._Run(job, iter(numbers), records, records, nothing)


async def test_a_worker_that_never_gives_a_result_is_given_up_whatever_others_give(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, starts = run_of(), 0

    async def ends_at_once(job: Job) -> Process:
        nonlocal starts
        starts += 1
        run._done.add(("task", "method", "case", str(starts)))  # of another worker
        program = (sys.executable, "-c", "raise SystemExit(1)")
        return await asyncio.create_subprocess_exec(*program, stdin=PIPE, stdout=PIPE)

    monkeypatch.setattr(processes, "_start", ends_at_once)
    with pytest.raises(ServiceError):
        async with asyncio.timeout(60):
            await run.work(1, lambda result: None)
    assert starts == MOST_DEATHS


def test_an_error_of_a_worker_keeps_its_kind() -> None:
    with pytest.raises(Conflict, match="Somebody was first") as raised:
        run_of()._take(ERROR, b"Conflict Somebody was first.\n", lambda result: None)
    assert raised.value.exit_code == 5


def test_an_error_of_no_kind_of_ours_is_named() -> None:
    with pytest.raises(PersonaAgentError, match="sys: no module"):
        run_of()._take(ERROR, b"sys no module\n", lambda result: None)
