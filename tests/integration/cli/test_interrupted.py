"""Ctrl-C, wherever it comes: exit code 130, and no traceback."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.endpoint import Reply, Stall
from tests.support.forks import MAIN
from tests.support.kills import Model

pytestmark = pytest.mark.integration

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
