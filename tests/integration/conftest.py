"""The command, run against the ``script`` of the test's module."""

from collections.abc import Iterator

import pytest

from tests.support.command import Command, scripted_command
from tests.support.endpoint import Endpoint


@pytest.fixture
def scripted(request, monkeypatch, capsys, tmp_path) -> Iterator[tuple[Command, Endpoint]]:
    with scripted_command(request.module.script, monkeypatch, capsys, tmp_path / "home") as both:
        yield both


@pytest.fixture
def command(scripted: tuple[Command, Endpoint]) -> Command:
    return scripted[0]


@pytest.fixture
def endpoint(scripted: tuple[Command, Endpoint]) -> Endpoint:
    return scripted[1]
