"""The production server: the graphs and routes of ``langgraph.json`` on Postgres, by aegra.

It starts only if callers need a token: without one, aegra serves everybody as the same user.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")  # LangGraph looks once, when imported

# ruff: isort: split
from fastapi import HTTPException
from langgraph_sdk.auth.types import BaseUser

from personaagent.core.errors import ConfigurationError, PersonaAgentError
from personaagent.core.settings import load_settings, variable
from personaagent.core.users import user_key
from personaagent.memory.migrate_checkpoints import migrate_postgres
from personaagent.server.graphs import agent, alignment
from personaagent.server.identity import Tokens
from personaagent.server.log_users import hide_users_in_logs
from personaagent.server.lost_runs import end_lost_runs
from personaagent.server.runs_in_turn import take_turns

__all__ = ["agent", "alignment"]
"""aegra loads graphs from a file: ``aegra.json`` names this one."""

KEEP_ALIVE = 75
"""Seconds that a connection may be idle: longer than proxies keep theirs, so that no request comes on
a connection that is just being closed."""

RESTART_SECONDS = 10
"""How long a server waits for another one on the same database, which may just be ending."""
CONNECT_SECONDS = 10
"""How long the database and the queue may take to answer at the start."""
DATABASE_ADDRESS = (
    "check DATABASE_URL, postgresql://user:password@host:5432/name (with %40 for an @ in the "
    "password), or the POSTGRES_ variables."
)
FORMER_INDEX = "server-index"
"""The index of earlier versions, in the data folder; each user is indexed anew when they come."""

_held: list[Any] = []
"""What has to stay open until the process ends."""


def main() -> None:
    """Serve on ``HOST`` and ``PORT`` until a signal ends it."""
    os.environ.setdefault("AEGRA_CONFIG", str(Path(__file__).with_name("aegra.json")))
    os.environ.setdefault("ENV_MODE", "PRODUCTION")
    os.environ.setdefault("HOST", "127.0.0.1")
    ours = load_settings()
    if not Tokens(ours).required:
        raise ConfigurationError(
            "This server is for many users and starts only where each shows a token: "
            f"set {variable('auth_secret')} or {variable('auth_jwks_url')}."
        )
    settings = _load_aegra()
    _check_services(settings)
    shutil.rmtree(ours.home / FORMER_INDEX, ignore_errors=True)
    alone = ours.qdrant_url is None
    if alone:
        _hold_only_index(settings.db.database_url_sync)
    _change_aegra(alone=alone, queue=settings.redis.REDIS_BROKER_ENABLED)

    import uvicorn
    from aegra_api.main import app

    uvicorn.run(
        app,
        host=settings.app.HOST,
        port=settings.app.PORT,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE,
    )


def _load_aegra() -> Any:
    """The settings of aegra, once it has loaded the file that checks tokens."""
    from pydantic import ValidationError

    try:
        from aegra_api.core.auth_middleware import get_auth_instance
        from aegra_api.settings import settings
    except ValidationError as error:
        names = ", ".join(str(place) for each in error.errors() for place in each["loc"][:1])
        raise ConfigurationError(f"A variable of the server has a wrong value: {names}.") from error
    if get_auth_instance() is None:
        raise ConfigurationError(
            "The file that checks tokens could not be loaded: see the log above."
        )
    return settings


def _check_services(settings: Any) -> None:
    """Refuse to start where the database, or the queue, cannot be used."""
    _check_address(settings.db.database_url)
    _migrate(settings.db.database_url_sync)
    if settings.redis.REDIS_BROKER_ENABLED:
        _check_queue(settings.redis.REDIS_URL)


def _change_aegra(*, alone: bool, queue: bool) -> None:
    """Change what aegra 0.11 does; ``tests/server/test_aegra.py`` says what each change rests on.

    Args:
        alone: no other server uses this database.
        queue: runs go through a queue.
    """
    end_lost_runs(alone=alone, queue=queue)
    take_turns(queue=queue)
    _scope_store_by_user_hash()
    _stream_every_event()
    hide_users_in_logs("aegra_api")


def _migrate(database_url: str) -> None:
    """Bring checkpoints of earlier versions up to date, before anything reads them."""
    import psycopg

    os.environ.setdefault("PGCONNECT_TIMEOUT", str(CONNECT_SECONDS))
    try:
        asyncio.run(migrate_postgres(database_url))
    except psycopg.OperationalError as error:
        raise ConfigurationError(
            f"The database cannot be reached: {' '.join(str(error).split())}"
        ) from error
    except psycopg.Error as error:  # its text may hold the address, with the password
        raise ConfigurationError(
            f"The database cannot be used ({type(error).__name__}): {DATABASE_ADDRESS}"
        ) from error


def _check_address(database_url: str) -> None:
    """Refuse what only one of aegra's two drivers understands."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        make_url(database_url)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(DATABASE_ADDRESS) from error


def _check_queue(url: str) -> None:
    import redis

    try:
        redis.Redis.from_url(url, socket_connect_timeout=CONNECT_SECONDS).ping()
    except (redis.RedisError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"The queue cannot be used ({type(error).__name__}): check REDIS_URL, "
            "redis://:password@host:6379/0."
        ) from error


def _hold_only_index(database_url: str) -> None:
    """Be the only server on this database until this process ends.

    Without Qdrant the index is a file of this process: what another server remembers would not be
    in it.
    """
    import psycopg

    connection = psycopg.connect(database_url, autocommit=True)
    connection.execute(f"SET lock_timeout = '{RESTART_SECONDS}s'")
    try:
        connection.execute("SELECT pg_advisory_lock(hashtextextended('personaagent_index', 0))")
    except psycopg.errors.LockNotAvailable as error:
        raise ConfigurationError(
            "Another server runs on this database, and several need an index that they share: "
            "set QDRANT_URL for each of them."
        ) from error
    _held.append(connection)


def _scope_store_by_user_hash() -> None:
    """Show each caller their own part of the graphs' store, as LangGraph's server does.

    aegra looks under ``users/<identity>``, but the graphs write under ``users/<hash of the
    identity>``: a user whose name is the hash of another user would read that user's memory.
    """
    from aegra_api.api import store

    store.apply_namespace_scoping = _own_namespace


def _own_namespace(namespace: list[str], user: BaseUser, **_: Any) -> list[str]:
    own = ["users", user_key(user.identity)]
    if namespace[: len(own)] == own:
        return namespace
    if own[: len(namespace)] == namespace:
        return own
    raise HTTPException(404, "There is no such item.")


def _stream_every_event() -> None:
    """Stream each event of a run, also one that comes while aegra starts to listen.

    With a queue, aegra reads the events so far and only then subscribes: an event between the two
    is stored, but not streamed. Readers skip events that they have had.
    """
    from aegra_api.services.redis_broker import RedisRunBroker
    from aegra_api.utils import extract_event_sequence

    listen = RedisRunBroker.aiter

    async def every(run: RedisRunBroker) -> AsyncIterator[tuple[str, Any]]:
        last, ended = None, False
        async for event, payload in listen(run):
            if last is None:
                for earlier, stored_payload in await run.replay(None):
                    if extract_event_sequence(earlier) < extract_event_sequence(event):
                        yield earlier, stored_payload
            last, ended = event, payload[0] == "end"
            yield event, payload
        if not ended:
            for later, stored_payload in await run.replay(last):
                yield later, stored_payload

    RedisRunBroker.aiter = every


if __name__ == "__main__":
    try:
        main()
    except PersonaAgentError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
