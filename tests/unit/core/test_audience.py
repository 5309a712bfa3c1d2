"""What a text says of an error: to whoever runs the program, and to the users of a server."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from personaagent.core.audience import (
    WITH_COMMAND,
    for_users_of_a_server,
    public,
    told,
    told_text,
    words_of,
)
from personaagent.core.errors import (
    ConfigurationError,
    Conflict,
    DataError,
    ModelUnavailable,
    PersonaAgentError,
    ServiceError,
    ToldError,
    UnknownEpisode,
    UnusableAnswer,
    UsageError,
)

ROOT = Path(__file__).parents[3]
ADDRESS = "http://10.1.2.3:8000"
NAMING = re.compile(r"`personaagent |\s\(?--[a-z]")
SERVED = ("core", "prompts", "models", "memory", "tools", "nodes", "graphs", "scorecard", "server")
PRIVATE = [
    PersonaAgentError(ADDRESS),
    ConfigurationError(ADDRESS),
    ServiceError(ADDRESS),
    ModelUnavailable(ADDRESS, retried=False),
    UnusableAnswer(ADDRESS, empty=True),
    DataError(ADDRESS),
]
PUBLIC = [UsageError("Say what."), UnknownEpisode("No."), Conflict("Later."), ToldError("Kind.")]
FOREIGN = [KeyError(ADDRESS), OSError(2, "No such file", "/srv/secret"), RuntimeError(ADDRESS)]


@pytest.mark.parametrize("error", [*PRIVATE, *FOREIGN], ids=lambda error: type(error).__name__)
def test_users_are_told_the_kind_and_the_log_the_rest(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    with for_users_of_a_server():
        shown = public(error)
        texts = [repr(shown), str(shown), told(error), words_of(error)]
    assert not [text for text in texts if ADDRESS in text or "/srv" in text]
    assert all(type(error).__name__ in text for text in texts)
    assert str(error) in caplog.text


@pytest.mark.parametrize("error", [*PRIVATE, *PUBLIC, *FOREIGN], ids=lambda error: repr(error)[:30])
def test_whoever_runs_the_program_is_told_all(error: Exception) -> None:
    assert public(error) is error
    assert told(error) == words_of(error) == str(error)


@pytest.mark.parametrize("error", PUBLIC, ids=lambda error: type(error).__name__)
def test_what_is_the_callers_own_is_told_as_it_is(error: Exception) -> None:
    with for_users_of_a_server():
        assert public(error) is error
        assert told(error) == str(error)


def test_what_may_be_tried_again_stays_so() -> None:
    with for_users_of_a_server():
        unavailable = public(ModelUnavailable(ADDRESS, retried=False))
        empty = public(UnusableAnswer(ADDRESS, empty=True))
    assert isinstance(unavailable, ModelUnavailable)
    assert not unavailable.retried
    assert isinstance(empty, UnusableAnswer)
    assert empty.empty


def test_langgraphs_server_shows_its_clients_the_sentence() -> None:
    with for_users_of_a_server():
        shown = [public(error) for error in (*PRIVATE, *PUBLIC, *FOREIGN)]
        told_to_clients = [str(error) for error in shown if isinstance(error, RuntimeError)]
    assert len(told_to_clients) == len(shown) - 1  # an episode that is not there ends no run


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("There is no rule 'r1': see `personaagent persona show`.", "There is no rule 'r1'."),
        ("It is empty: say whose (--user NAME).", "It is empty."),
        ("Too many. Forget some: `personaagent profile forget ID`. Nothing was changed.",
         "Too many. Forget some. Nothing was changed."),
        ("It changed. `personaagent persona rollback` returns.", "It changed."),
        ("Some more; `personaagent memory reindex` indexes all.", "Some more."),
        ("Say it (`personaagent feedback`), or import.", "Say it, or import."),
        ("The person said `x` -- so be it.", "The person said `x` -- so be it."),
    ],
)  # fmt: skip
def test_users_are_told_no_commands(text: str, shown: str) -> None:
    assert told_text(text) == text
    with for_users_of_a_server():
        assert told_text(text) == shown
        assert str(public(UsageError(text))) == told(UsageError(text)) == shown


def literals() -> Iterator[str]:
    """The texts in the code that a server runs; an f-string as one, ``{}`` for what stands in it."""
    for folder in SERVED:
        for file in sorted({*(ROOT / folder).rglob("*.py")} - {ROOT / "core" / "audience.py"}):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call | ast.Assign | ast.Return | ast.Yield):
                    for part in ast.iter_child_nodes(node):
                        yield from _text(part)


def _text(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values)


def test_every_text_that_names_a_command_can_be_told_without_it() -> None:
    naming = sorted({text for text in literals() if NAMING.search(text)})
    assert len(naming) > 10
    for text in naming:
        assert not NAMING.search(WITH_COMMAND.sub("", text)), text
