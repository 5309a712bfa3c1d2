"""Whatever becomes of the output, what was asked for is done: pipes, encodings, full disks."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Command
from tests.support.endpoint import Reply
from tests.support.forks import MAIN

ANSWER = "Grüße … 你好 😀 → “fine”"


def script(body: dict[str, Any]) -> Reply:
    """Answers with characters that most encodings lack; a long story has many lines."""
    last = str(body["messages"][-1]["content"])
    return "\n".join(f"line {n}" for n in range(20_000)) if "story" in last else ANSWER


def run(*arguments: str, given: str = "", **options: Any) -> "subprocess.CompletedProcess[bytes]":
    """The command in a process of its own; ``options`` as of ``subprocess.run``."""
    return subprocess.run(
        [sys.executable, "-c", MAIN, *arguments, "--user", "ann"],
        **{"input": given.encode(), "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options,
        check=False,
    )


def shell(line: str) -> "subprocess.CompletedProcess[bytes]":
    """A line of bash in which ``agent`` is the command; the exit code is the command's."""
    agent = f'agent() {{ "{sys.executable}" -c "{MAIN}" "$@" --user ann; }}'
    ended = "exit ${PIPESTATUS[0]}"
    return subprocess.run(
        ["bash", "-c", f"{agent}\n{line}\n{ended}"], capture_output=True, check=False
    )


def remembered(command: Command) -> list[str]:
    listed = command("memory", "list", "--user", "ann", "--json").data
    return [episode["query"] for episode in reversed(listed)]


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", ANSWER),
        ("gbk", "Grüsse … 你好 ? → “fine”"),
        ("cp1252", "Grüße … ?? ? -> “fine”"),
        ("ascii", 'Grusse ... ?? ? -> "fine"'),
    ],
)
def test_an_answer_that_cannot_be_encoded_is_shown_and_remembered(
    encoding: str, shown: str, command: Command
) -> None:
    env = {**os.environ, "PYTHONIOENCODING": encoding}
    ran = run("ask", "Greet me.", env=env)
    assert (ran.returncode, ran.stdout.decode(encoding)) == (0, f"{shown}\n")
    assert (b"stands for" in ran.stderr) == (encoding != "utf-8")
    assert remembered(command) == ["Greet me."]
    listed = run("memory", "list", "--json", env=env)
    assert json.loads(listed.stdout.decode(encoding))[0]["response"] == ANSWER, "JSON loses nothing"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_a_question_is_read_in_the_encoding_of_the_terminal(
    encoding: str, command: Command
) -> None:
    env = {**os.environ, "PYTHONIOENCODING": encoding.removesuffix("-sig")}
    assert run("ask", "-", input="你好吗?".encode(encoding), env=env).returncode == 0
    assert remembered(command) == ["你好吗?"]


def test_a_question_is_read_whatever_the_locale(command: Command) -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert run("ask", "你好吗?", env=os.environ | plain).returncode == 0
    assert remembered(command) == ["你好吗?"]


@pytest.mark.parametrize("question", ["Greet me.", "Tell me a story."])
@pytest.mark.parametrize("reader", ["true", "head -2", "head -c 5"])
def test_an_answer_whose_reader_leaves_is_remembered(
    question: str, reader: str, command: Command
) -> None:
    ran = shell(f"agent ask '{question}' | {reader}")
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert remembered(command) == [question]


def test_a_chat_ends_when_nobody_reads_it_after_the_turn_that_was_under_way(
    command: Command,
) -> None:
    ran = shell("yes 'Tell me a story.' | (agent chat; echo $? >&2) | head -1")
    assert ran.stderr == b"0\n"
    assert ran.stdout == b"line 0\n"
    assert remembered(command) == ["Tell me a story."]


def test_notices_whose_reader_leaves_harm_nothing(command: Command) -> None:
    ran = shell("agent chat <<< $'Greet me.\\n/fix Hello.\\nGreet me again.' 2> >(true)")
    assert (ran.returncode, ran.stdout.decode()) == (0, f"{ANSWER}\n{ANSWER}\n")
    assert remembered(command) == ["Greet me.", "Greet me again."]


@pytest.mark.parametrize(
    "streams", [">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"], ids=lambda each: each
)
def test_closed_streams_harm_nothing(streams: str, command: Command) -> None:
    ran = shell(f"agent ask 'Greet me.' {streams}")
    assert ran.returncode == 0
    assert remembered(command) == ["Greet me."], "the database is whole"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error_after_the_turn_is_remembered(command: Command) -> None:
    ran = shell("agent ask 'Greet me.' > /dev/full")
    assert ran.returncode == 5
    assert b"could not be written (No space left on device)" in ran.stderr
    assert ran.stderr.count(b"\n") == 1
    assert remembered(command) == ["Greet me."]


def test_a_pipe_that_does_not_block_gets_everything(command: Command) -> None:
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    with subprocess.Popen([*_ask("Tell me a story.")], stdout=write_end) as asking:
        os.close(write_end)
        with open(read_end, "rb") as reader:
            shown = reader.read()
    assert asking.returncode == 0
    assert shown.endswith(b"line 19999\n")


def _ask(question: str) -> list[str]:
    return [sys.executable, "-c", MAIN, "ask", question, "--user", "ann"]


@pytest.mark.parametrize(
    "arguments",
    ["memory list", "memory export", "persona show", "profile show", "persona history"],
)
def test_every_listing_may_be_cut_short(arguments: str, command: Command) -> None:
    command("ask", "Greet me.", "--user", "ann")
    ran = shell(f"agent {arguments} | true")
    assert (ran.returncode, ran.stderr) == (0, b"")
