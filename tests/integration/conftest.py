"""What tests share: the command, run against the ``script`` of the test's module, and two servers.

Each server costs ten seconds, so that all tests that change no setting share them: they take users
of their own.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.command import Command, scripted_command
from tests.support.endpoint import Endpoint
from tests.support.postgres import postgres
from tests.support.postgres_server import need_postgres, on_postgres
from tests.support.server import Server, answers_from_memory, running_server

METRICS_TOKEN = "a token of whoever operates"
LONGEST_IMPORT = 1_500_000


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


@pytest.fixture(scope="session")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without tokens, for one developer."""
    folder = tmp_path_factory.mktemp("open")
    with running_server(folder, answers_from_memory, secret=None) as server:
        yield server


@pytest.fixture(scope="session")
def token_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for many users, each with a token, whose operator has one too."""
    folder = tmp_path_factory.mktemp("tokens")
    with running_server(
        folder,
        answers_from_memory,
        PERSONAAGENT_METRICS_TOKEN=METRICS_TOKEN,
        PERSONAAGENT_MAX_IMPORT_BYTES=str(LONGEST_IMPORT),
    ) as server:
        yield server


@pytest.fixture(scope="module", params=["development", "postgres"])
def backend(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """What ``running_server`` is given: the development server, then the one on Postgres."""
    if request.param == "development":
        yield {}
        return
    need_postgres()
    with postgres() as database:
        yield on_postgres(database)
