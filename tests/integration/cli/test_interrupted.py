"""Ctrl-C, wherever it comes: exit code 130, and no traceback."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import pytest

from tests.support.command import Command
from tests.support.endpoint import Reply, Stall
from tests.support.forks import MAIN
from tests.support.kills import Model

DEMO = Path(__file__).parents[3] / "examples" / "demo.py"


def never(body: dict[str, Any]) -> Reply:
    return Stall(None)


script = Model(never)
script.hold = lambda body: True


@pytest.mark.parametrize("arguments", [[str(DEMO)], ["-c", MAIN, "ask", "Hello?", "-u", "ann"]])
def test_while_the_model_answers(arguments: list[str], scripted: object) -> None:
    script.held.clear()
    with subprocess.Popen(
        [sys.executable, *arguments], stderr=subprocess.PIPE, text=True
    ) as asking:
        assert script.held.wait(60)
        asking.send_signal(signal.SIGINT)
        _, said = asking.communicate()
    assert (asking.returncode, said) == (130, "")


def read_until(text: str, stream: IO[str]) -> None:
    shown = ""
    while text not in shown:
        character = stream.read(1)
        assert character, f"{text!r} does not come: {shown!r}"
        shown += character


def test_while_forgetting_asks_a_question_it_forgets_nothing(
    command: Command, tmp_path: Path
) -> None:
    history = tmp_path / "history.jsonl"
    history.write_text('{"query": "Which tea?", "response": "Green."}')
    assert command("memory", "import", str(history), "-u", "ann").code == 0
    master, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, "memory", "forget", "--all", "-u", "ann"],
        stdin=terminal,
        stderr=subprocess.PIPE,
        text=True,
    ) as forgetting:
        assert forgetting.stderr is not None
        read_until("[y/N] ", forgetting.stderr)
        forgetting.send_signal(signal.SIGINT)
        assert (forgetting.wait(60), forgetting.stderr.read()) == (130, "")
    os.close(master)
    os.close(terminal)
    assert len(command("memory", "list", "-u", "ann", "--json").data) == 1
