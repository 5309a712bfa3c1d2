"""The evaluation, killed: in a process of its own, at any moment, as often as one likes."""

import json
import signal
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.endpoint import Reply, Stall
from tests.support.forks import MAIN, start
from tests.support.movies import TASK, film_models

USERS, QUESTIONS = 4, 2
RUN = ("eval", "run", "--tasks", TASK, "--out", "out", "--concurrency")


class Script:
    """The models; of every ``hold`` chats the last is never answered."""

    def __init__(self) -> None:
        self.hold = 0
        self.asked = 0
        self.holding = threading.Event()

    def __call__(self, body: dict[str, Any]) -> Reply:
        self.asked += 1
        if self.hold and self.asked % self.hold == 0:
            self.holding.set()
            return Stall()
        return film_models(body)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def size() -> tuple[int, int]:
    return USERS, QUESTIONS


def kill(script: Script, hold: int, *arguments: str) -> list[str]:
    """Run until the ``hold``-th chat is held, then kill; the lines that were kept."""
    script.hold, script.asked = hold, 0
    script.holding.clear()
    with start(MAIN, *arguments) as process:
        assert script.holding.wait(60), process.communicate(timeout=5)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    script.hold = 0
    kept = Path("out/samples.jsonl")
    return kept.read_text().splitlines() if kept.exists() else []


def keys(lines: list[str]) -> list[tuple[str, ...]]:
    samples = [json.loads(line) for line in lines]
    return [(each["method"], each["case"], each["question"]) for each in samples]


def test_nothing_is_run_twice_and_nothing_is_lost(scripted, script: Script) -> None:
    command, endpoint = scripted
    arguments = (*RUN, "1", "--methods", "prompt,majority,rag")
    before: list[str] = []
    for hold in (1, 4, 3):
        kept = kill(script, hold, *arguments)
        assert kept[: len(before)] == before
        before = kept
    assert 0 < len(before) < 3 * USERS * QUESTIONS
    assert command(*arguments).code == 0
    kept = Path("out/samples.jsonl").read_text().splitlines()
    assert kept[: len(before)] == before
    assert len(kept) == len(set(keys(kept))) == 3 * USERS * QUESTIONS
    assert not any(json.loads(line)["failed"] for line in kept)
    asked = Counter(
        json.dumps(each.body["messages"])
        for each in endpoint.requests
        if each.path.endswith("/chat/completions")
    )
    assert len(asked) == 2 * USERS * QUESTIONS
    assert sum(asked.values()) - len(asked) == 3, "those that were held, and no other"


def test_a_line_that_was_cut_off_and_cases_in_the_midst_of_learning(
    scripted, script: Script
) -> None:
    command, _ = scripted
    arguments = (*RUN, "3", "--methods", "rag,persona")
    kill(script, 9, *arguments)
    kept = kill(script, 14, *arguments)
    with Path("out/samples.jsonl").open("a") as file:
        file.write('{"task": "LaMP_2M", "method": "rag", "cas')
    result = command(*arguments, "--json")
    assert result.code == 0
    table = result.data["tasks"][TASK]["methods"]
    assert [each["answered"] for each in table.values()] == [USERS * QUESTIONS] * 2
    lines = Path("out/samples.jsonl").read_text().splitlines()
    assert lines[: len(kept)] == kept
    assert len(lines) == len(set(keys(lines))) == 2 * USERS * QUESTIONS
    assert {name: each["metrics"]["accuracy"]["mean"] for name, each in table.items()} == {
        "rag": 1.0,
        "persona": 1.0,
    }


def test_ctrl_c_says_what_is_kept(scripted, script: Script) -> None:
    script.hold = 3
    with start(MAIN, *RUN, "1", "--methods", "prompt") as process:
        assert script.holding.wait(60)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"2 of {USERS * QUESTIONS} results are kept in out; the same command continues" in err
    assert "Traceback" not in err
