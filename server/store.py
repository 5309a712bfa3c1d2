"""The store of the running server, for our routes: the one that the graphs get too."""

import sys

from langgraph.store.base import BaseStore

from personaagent.core.errors import ConfigurationError


def on_server() -> bool:
    """Whether a server runs here, and so has a store."""
    return not {"aegra_api", "langgraph_api"}.isdisjoint(sys.modules)


async def server_store() -> BaseStore:
    """The store of the server that runs this code: LangGraph's own, or aegra.

    Not ``langgraph.config.get_store()``: in a route, the development server returns there a store
    that it made before it read its configuration, and that no graph sees.

    Raises:
        ConfigurationError: this is not running on such a server.
    """
    if "aegra_api" in sys.modules:
        from aegra_api.core.database import db_manager  # pyright: ignore[reportMissingImports]

        aegra_store: BaseStore = db_manager.get_store()
        return aegra_store
    if "langgraph_api" in sys.modules:
        from langgraph_api.store import get_store

        langgraph_store: BaseStore = await get_store()
        return langgraph_store
    raise ConfigurationError("No server runs here, so there is no store: call this from a route.")
