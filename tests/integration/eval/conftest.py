"""The command on invented film lovers, run against ``script``."""

from collections.abc import Iterator

import pytest

from tests.support.command import Command, scripted_command
from tests.support.endpoint import Endpoint
from tests.support.eval_command import USERS, Script
from tests.support.movies import write_movies


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def size() -> tuple[int, int]:
    """How many film lovers there are, and how many questions each asks."""
    return USERS, 1


@pytest.fixture
def scripted(script, size, monkeypatch, capsys, tmp_path) -> Iterator[tuple[Command, Endpoint]]:
    write_movies(tmp_path / "data", *size)
    monkeypatch.chdir(tmp_path)
    data = {"PERSONAAGENT_DATA": str(tmp_path / "data")}
    with scripted_command(script, monkeypatch, capsys, tmp_path / "home", **data) as both:
        yield both
