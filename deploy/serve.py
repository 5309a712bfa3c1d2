"""The production server: the graphs and routes of ``langgraph.json`` on Postgres, by aegra.

It starts only where callers have to show a token; aegra alone would serve everybody as one user.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fastapi import HTTPException
from langgraph_sdk.auth.types import BaseUser

from personaagent.core.errors import PersonaAgentError
from personaagent.core.settings import load_settings, variable
from personaagent.core.users import user_key
from personaagent.memory.migrate_checkpoints import migrate_postgres
from personaagent.server.graphs import agent, alignment
from personaagent.server.identity import Tokens

__all__ = ["agent", "alignment"]
"""aegra loads graphs by file: ``aegra.json`` names them here."""

KEEP_ALIVE = 75
"""Seconds that a connection may be idle: longer than proxies keep theirs, so that none is asked on
one that is just being closed."""


def main() -> None:
    """Serve until told to stop, on ``HOST`` and ``PORT``."""
    os.environ.setdefault("AEGRA_CONFIG", str(Path(__file__).with_name("aegra.json")))
    os.environ.setdefault("ENV_MODE", "PRODUCTION")
    os.environ.setdefault("HOST", "127.0.0.1")
    if not Tokens(load_settings()).required:
        sys.exit(
            "This server is for many users and starts only where each shows a token: "
            f"set {variable('auth_secret')} or {variable('auth_jwks_url')}."
        )

    from aegra_api.core.auth_middleware import get_auth_instance
    from aegra_api.settings import settings

    if get_auth_instance() is None:
        sys.exit("The file that checks tokens could not be loaded: see the log above.")
    _migrate(settings.db.database_url_sync)
    _let_the_store_be_that_of_the_graphs()
    _let_no_event_be_missed()

    import uvicorn
    from aegra_api.main import app

    uvicorn.run(
        app,
        host=settings.app.HOST,
        port=settings.app.PORT,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE,
    )


def _migrate(database_url: str) -> None:
    """Bring checkpoints of earlier versions up to date, before anything reads them."""
    import psycopg

    try:
        asyncio.run(migrate_postgres(database_url))
    except psycopg.OperationalError as error:
        sys.exit(f"The database cannot be reached: {' '.join(str(error).split())}")


def _let_the_store_be_that_of_the_graphs() -> None:
    """Show each caller their own part of what the graphs remember, as LangGraph's server does.

    aegra would look under ``users/<identity>``. There is nothing of ours there, but whoever is
    named like the hash of another user would find that one's memory, which is under
    ``users/<hash of the identity>``.
    """
    from aegra_api.api import store

    store.apply_namespace_scoping = _own_part


def _own_part(namespace: list[str], user: BaseUser, **_: Any) -> list[str]:
    own = ["users", user_key(user.identity)]
    if namespace[: len(own)] == own:
        return namespace
    if own[: len(namespace)] == namespace:
        return own
    raise HTTPException(404, "There is no such item.")


def _let_no_event_be_missed() -> None:
    """Stream each event of a run, and the last one, whenever it came.

    With a queue, aegra reads what was streamed so far and only then begins to listen: what came
    between is kept, but told to nobody. Whoever reads leaves out what they have had.
    """
    from aegra_api.services.redis_broker import RedisRunBroker
    from aegra_api.utils import extract_event_sequence

    listen = RedisRunBroker.aiter

    async def every(run: RedisRunBroker) -> AsyncIterator[tuple[str, Any]]:
        last, ended = None, False
        async for event, payload in listen(run):
            if last is None:
                for earlier, kept in await run.replay(None):
                    if extract_event_sequence(earlier) < extract_event_sequence(event):
                        yield earlier, kept
            last, ended = event, payload[0] == "end"
            yield event, payload
        if not ended:
            for later, kept in await run.replay(last):
                yield later, kept

    RedisRunBroker.aiter = every


if __name__ == "__main__":
    try:
        main()
    except PersonaAgentError as error:
        sys.exit(str(error))
