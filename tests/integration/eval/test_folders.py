"""What is refused before anything is asked, and which run a folder holds."""

from pathlib import Path

import pytest
from filelock import FileLock

from tests.support.command import Command
from tests.support.eval_command import run
from tests.support.movies import TASK


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--tasks", "LaMP_9", "--methods", "rag"], 2, "There is no task 'LaMP_9'; there are LaMP"),
        (["--tasks", TASK, "--methods", "rug"], 2, "There is no method 'rug'; there are prompt"),
        (["--tasks", ",", "--methods", "rag"], 2, "A list is empty"),
        (["--tasks", "LaMP_3", "--methods", "rag"], 5, "lamp-benchmark.github.io/download"),
        (["--tasks", "prefeval_mcq", "--methods", "rag"], 5, "github.com/amazon-science/PrefEval"),
        (["--tasks", "locomo_qa", "--methods", "rag"], 5, "github.com/snap-research/locomo"),
        (["--tasks", TASK, "--methods", "rag", "--against", "pag"], 2, "none of the run's methods"),
        (
            ["--tasks", "locomo_recall", "--methods", "prompt"],
            2,
            "only recall, as locomo_recall asks",
        ),
        (["--tasks", TASK, "--methods", "rag", "--users", "0"], 2, "Invalid value for '--users'"),
        (["--tasks", TASK, "--methods", "rag", "--prices", "no.toml"], 2, "no table of prices"),
        (["--tasks", TASK, "--methods", "rag", "--langsmith", "p"], 3, "set LANGSMITH_API_KEY"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_asked(
    command, endpoint, monkeypatch, arguments: list[str], code: int, sentence: str
) -> None:
    monkeypatch.delenv("LANGSMITH_API_KEY", raising=False)
    result = command("eval", "run", *arguments)
    assert (result.code, result.out) == (code, "")
    assert sentence in result.err
    assert endpoint.requests == []


def test_a_folder_is_of_one_run(command: Command) -> None:
    run(command, methods="majority")
    other = run(command, "--seed", "1", methods="majority,similar")
    assert other.code == 2
    assert "out holds a run that was made with other" in other.err
    assert "methods, seed" in other.err
    assert command("eval", "report", ".").code == 5


def test_one_process_at_a_time(command: Command) -> None:
    run(command, methods="majority")
    with FileLock("out/.lock"):
        result = run(command, methods="majority")
    assert "Another process is running the evaluation in out." in result.err
    assert result.code != 0


def test_a_folder_of_its_own_is_named_after_what_the_run_is_made_with(command: Command) -> None:
    arguments = ("eval", "run", "--tasks", TASK, "--methods", "majority")
    for _ in range(2):
        assert command(*arguments).code == 0
    command(*arguments, "--seed", "1")
    assert len(list(Path("eval-runs").iterdir())) == 2
