"""The store of the running server, for the routes: the same that the server hands to the graphs."""

from langgraph.config import get_store
from langgraph.store.base import BaseStore

from personaagent.core.errors import ConfigurationError


async def server_store() -> BaseStore:
    """The store of the server that this is called on: LangGraph's own server, or aegra's.

    Raises:
        ConfigurationError: this is not running on such a server.
    """
    try:
        return get_store()  # LangGraph's server lends it to graphs and routes alike
    except RuntimeError:
        pass
    try:
        from aegra_api.core.database import db_manager

        return db_manager.get_store()
    except (ImportError, RuntimeError) as error:
        raise ConfigurationError("No server runs here, so that there is no store of it.") from error
