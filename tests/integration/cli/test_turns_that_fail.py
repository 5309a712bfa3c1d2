"""One failed message does not end a conversation, at an endpoint that demands alternating roles."""

from typing import Any

import pytest

from tests.support.command import Command
from tests.support.endpoint import Endpoint, Reply, Status
from tests.support.strict_roles import shape_problem


def script(body: dict[str, Any]) -> Reply:
    if problem := shape_problem(body["messages"]):
        return Status(400, problem)
    asked = [each["content"] for each in body["messages"] if each["role"] == "user"]
    if any("poison" in text for text in asked):
        return Status(400, "The prompt was filtered.")
    if asked[-1] == "be down":
        return Status(500)
    return f"You asked {len(asked)}: {asked[-1]}"


@pytest.mark.parametrize(
    ("message", "code"), [("poison", 4), ("be down", 4), ("a bell\x07", 2), ("x" * 40_000, 2)]
)
def test_a_thread_goes_on_after_a_message_that_failed(
    message: str, code: int, command: Command
) -> None:
    def ask(text: str) -> Any:
        return command("ask", text, "--user", "ann", "--thread", "t")

    for count in (1, 2):
        failed = ask(message)
        assert (failed.code, failed.out, failed.err.count("Error: ")) == (code, "", 1)
        assert ask("hello").out == f"You asked {count}: hello\n"


def test_a_chat_goes_on_after_messages_that_failed(command: Command) -> None:
    lines = ["poison", "hello", "be down", "a bell\x07", "poison", "and now?"]
    talk = command("chat", "--user", "ann", stdin="\n".join(lines).encode())
    assert talk.code == 0
    assert talk.out == "You asked 1: hello\nYou asked 2: and now?\n"
    assert talk.err.count("\n") == 4


def test_a_page_break_is_replaced_and_the_message_asked(
    command: Command, endpoint: Endpoint
) -> None:
    assert command("ask", "one\x0ctwo", "--user", "ann").out == "You asked 1: one\ufffdtwo\n"
    assert command("ask", "-", "-u", "ann", stdin=b"a\x0bb").out == "You asked 1: a\ufffdb\n"
