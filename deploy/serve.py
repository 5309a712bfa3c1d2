"""The production server: the graphs and routes of ``langgraph.json`` on Postgres, by aegra.

It starts only where callers have to show a token; aegra alone would serve everybody as one user.
"""

import os
import sys
from pathlib import Path

from personaagent.core.errors import PersonaAgentError
from personaagent.core.settings import load_settings, variable
from personaagent.server.identity import Tokens


def main() -> None:
    """Serve until told to stop, on ``HOST`` and ``PORT``."""
    os.environ.setdefault("AEGRA_CONFIG", str(Path(__file__).with_name("aegra.json")))
    os.environ.setdefault("ENV_MODE", "PRODUCTION")
    if not Tokens(load_settings()).required:
        sys.exit(
            "This server is for many users and starts only where each shows a token: "
            f"set {variable('auth_secret')} or {variable('auth_jwks_url')}."
        )

    from aegra_api.core.auth_middleware import get_auth_instance
    from aegra_api.settings import settings

    if get_auth_instance() is None:
        sys.exit("The file that checks tokens could not be loaded: see the log above.")
    _close_the_store()

    import uvicorn
    from aegra_api.main import app

    uvicorn.run(app, host=settings.app.HOST, port=settings.app.PORT, log_config=None)


def _close_the_store() -> None:
    """Take aegra's store API away: memory is read and changed by our routes.

    aegra puts what a client stores under ``users/<identity>``, and our memory lies under
    ``users/<hash of the identity>``: who is named like the hash of another could read theirs.
    """
    from aegra_api.api.store import router

    router.routes.clear()


if __name__ == "__main__":
    try:
        main()
    except PersonaAgentError as error:
        sys.exit(str(error))
