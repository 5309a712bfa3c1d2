"""The production server: the graphs and routes of ``langgraph.json`` on Postgres, by aegra.

It starts only where callers have to show a token; aegra alone would serve everybody as one user.
"""

import os
import sys
from pathlib import Path
from typing import Any

from fastapi import HTTPException
from langgraph_sdk.auth.types import BaseUser

from personaagent.core.errors import PersonaAgentError
from personaagent.core.records import user_key
from personaagent.core.settings import load_settings, variable
from personaagent.server.identity import Tokens

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
    _let_the_store_be_that_of_the_graphs()

    import uvicorn
    from aegra_api.main import app

    uvicorn.run(
        app,
        host=settings.app.HOST,
        port=settings.app.PORT,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE,
    )


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


if __name__ == "__main__":
    try:
        main()
    except PersonaAgentError as error:
        sys.exit(str(error))
