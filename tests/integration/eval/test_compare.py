"""``eval compare``: two runs, in pairs."""

import re

import pytest

from tests.support.command import Command
from tests.support.eval_command import run
from tests.support.movies import TASK


def test_two_runs_are_compared_in_pairs(command: Command, monkeypatch) -> None:
    run(command, methods="rag,prompt", out="first")
    monkeypatch.setenv("PERSONAAGENT_TOP_K", "0")
    run(command, methods="rag,prompt", out="second")
    result = command("eval", "compare", "first", "second", "--json").data
    assert result["differs"] == ["top_k"]
    rows = {(row["method"], row["metric"]): row for row in result["rows"]}
    rag, prompt = rows["rag", "accuracy"], rows["prompt", "accuracy"]
    assert (rag["questions"], rag["first"], rag["second"]) == (6, 1.0, pytest.approx(1 / 6))
    assert rag["difference"]["mean"] == pytest.approx(-5 / 6)
    assert rag["difference"]["low"] < rag["difference"]["high"] < 0
    assert (prompt["difference"]["mean"], prompt["difference"]["p"]) == (0, 1)
    shown = command("eval", "compare", "first", "second").out
    assert re.search(rf"{TASK}\n.*\nrag \(6\)\n +accuracy +1\.000 +0\.167 +-0\.833", shown)
    assert "The runs differ in: top_k" in shown


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (("--methods", "majority"), "no method in common (similar; majority)"),
        (("--methods", "similar", "--limit", "1", "--seed", "3"), "the same question"),
    ],
)
def test_two_runs_without_a_common_question_cannot_be_compared(
    command: Command, other: tuple[str, ...], sentence: str
) -> None:
    begun = run(command, "--limit", "1", methods="similar", out="first")
    assert "1 result; it is kept in first." in begun.err
    assert command("eval", "run", "--tasks", TASK, *other, "--out", "second").code == 0
    result = command("eval", "compare", "first", "second", "--json")
    assert (result.code, result.out) == (5, "")
    assert "first and second cannot be compared: " in result.err
    assert sentence in result.err
