"""The store of the running server, for the routes: the same that the server hands to the graphs."""

import sys

from langgraph.store.base import BaseStore

from personaagent.core.errors import ConfigurationError


async def server_store() -> BaseStore:
    """The store of the server that this is called on: LangGraph's own server, or aegra's.

    Not ``langgraph.config.get_store()``: to routes the development server lends, by that, a store
    that it made before it had read its configuration, and that no graph sees.

    Raises:
        ConfigurationError: this is not running on such a server.
    """
    if "aegra_api" in sys.modules:
        from aegra_api.core.database import db_manager

        aegras: BaseStore = db_manager.get_store()
        return aegras
    if "langgraph_api" in sys.modules:
        from langgraph_api.store import get_store

        langgraphs: BaseStore = await get_store()
        return langgraphs
    raise ConfigurationError("No server runs here, so that there is no store of it.")
