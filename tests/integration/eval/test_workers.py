"""The evaluation in several processes: the same results, and none lost with a killed worker."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from subprocess import PIPE
from typing import Any

import psutil
import pytest

from tests.support.endpoint import Reply, Stall
from tests.support.movies import TASK, film_models

USERS, QUESTIONS = 6, 2
RUN = ("eval", "run", "--tasks", TASK, "--methods", "prompt,majority,rag", "--concurrency", "4")
UNTIMED = ("seconds",)


class Killing:
    """The models; while it answers chat number ``kill_at``, it kills the worker that asked first."""

    def __init__(self) -> None:
        self.kill_at = 0
        self.asked = 0
        self.killed: list[int] = []
        self.lock = threading.Lock()
        self.stalls = False
        self.is_asked = threading.Event()

    def __call__(self, body: dict[str, Any]) -> Reply:
        self.is_asked.set()
        if self.stalls:
            return Stall(None)
        with self.lock:
            self.asked += 1
            if self.asked == self.kill_at:
                self.killed.append(kill_a_worker())
        return film_models(body)


def kill_a_worker() -> int:
    """Kill one of the workers that this process has started."""
    children = psutil.Process(os.getpid()).children(recursive=True)
    [worker, *_] = filter(_is_worker, children)
    worker.send_signal(signal.SIGKILL)
    return worker.pid


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "personaagent.eval.worker" in process.cmdline()
    except psutil.NoSuchProcess:  # it has just ended
        return False


@pytest.fixture
def script() -> Killing:
    return Killing()


@pytest.fixture
def size() -> tuple[int, int]:
    return USERS, QUESTIONS


def results(folder: str) -> dict[tuple[str, ...], dict[str, Any]]:
    """The results by what they answer, without what differs from run to run."""
    lines = [json.loads(line) for line in Path(folder, "samples.jsonl").read_text().splitlines()]
    by_key = {
        (each["method"], each["case"], each["question"]): {
            name: value for name, value in each.items() if name not in UNTIMED
        }
        for each in lines
    }
    assert len(by_key) == len(lines), "each result once"
    return by_key


def test_workers_give_the_same_results_also_if_one_is_killed(scripted, script: Killing) -> None:
    command, _ = scripted
    assert command(*RUN, "--out", "one").code == 0
    script.asked, script.kill_at = 0, 8
    assert command(*RUN, "--out", "two", "--workers", "2").code == 0
    assert len(script.killed) == 1
    assert results("two") == results("one")
    assert len(results("two")) == 3 * USERS * QUESTIONS


def test_what_is_wrong_with_all_of_them_ends_the_run_in_one_sentence(scripted, monkeypatch) -> None:
    command, _ = scripted
    monkeypatch.setenv("OPENAI_BASE_URL", "ftp://nowhere")
    result = command(*RUN, "--out", "out", "--workers", "2")
    assert result.code == 3
    assert "Traceback" not in result.err


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_no_worker_outlives_the_command(scripted, script: Killing, ending: signal.Signals) -> None:
    """However the command ends, and although the endpoint never answers."""
    script.stalls = True
    program = "import sys; from personaagent.cli.main import main; sys.exit(main())"
    command = (sys.executable, "-c", program, *RUN, "--out", "out", "--workers", "2")
    process = subprocess.Popen(command, stdout=PIPE, stderr=PIPE, text=True)
    try:
        assert script.is_asked.wait(120)
        workers = psutil.Process(process.pid).children()
        assert len(workers) == 2
        process.send_signal(ending)
        _, shown = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert alive == []
    assert "Traceback" not in shown


def test_traces_take_one_process(scripted) -> None:
    command, endpoint = scripted
    result = command(*RUN, "--out", "out", "--workers", "2", "--langsmith", "mine")
    assert (result.code, endpoint.requests) == (2, [])
    assert "--workers" in result.err
