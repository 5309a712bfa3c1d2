"""Servers that tests share, each with users of its own: a start costs some ten seconds of CPU."""

from collections.abc import AsyncIterator, Iterator
from itertools import count
from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient

from tests.support.postgres import postgres
from tests.support.postgres_server import need_postgres, on_postgres
from tests.support.server import Server, answers_from_memory, running_server

USERS = count()
METRICS_TOKEN = "a token of whoever operates"
LONGEST_IMPORT = 1_500_000
OPERATED = {
    "PERSONAAGENT_METRICS_TOKEN": METRICS_TOKEN,
    "PERSONAAGENT_MAX_IMPORT_BYTES": str(LONGEST_IMPORT),
}


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
    with running_server(folder, answers_from_memory, **OPERATED) as server:
        yield server


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """The address of a Postgres."""
    need_postgres()
    with postgres() as address:
        yield address


@pytest.fixture(scope="session")
def postgres_server(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same on Postgres, as it is deployed."""
    folder = tmp_path_factory.mktemp("postgres")
    with running_server(folder, answers_from_memory, **on_postgres(database), **OPERATED) as server:
        yield server


@pytest.fixture(scope="module", params=["development", "postgres"])
def backend(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """What ``running_server`` is given: the development server, then one on a Postgres of its own.

    Servers of other settings on the same Postgres would do each other's scheduled runs.
    """
    if request.param == "development":
        yield {}
        return
    need_postgres()
    with postgres() as address:
        yield on_postgres(address)


@pytest.fixture(scope="module", params=["token_server", "postgres_server"])
def server(request: pytest.FixtureRequest) -> Server:
    """The development server, then the one on Postgres; modules with other servers have their own."""
    shared: Server = request.getfixturevalue(request.param)
    return shared


@pytest.fixture
def user() -> str:
    """Somebody new: the servers are shared."""
    return f"somebody-{next(USERS)}"


@pytest.fixture
async def http(server: Server, user: str) -> AsyncIterator[httpx.AsyncClient]:
    """Our routes, as the user."""
    async with server.http(user) as http:
        yield http


@pytest.fixture
async def sdk(server: Server, user: str) -> AsyncIterator[LangGraphClient]:
    """LangGraph's routes, as the user."""
    async with server.sdk(user) as sdk:
        yield sdk
