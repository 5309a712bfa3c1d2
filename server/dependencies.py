"""What a route is given: the caller's own memory, the parts of the process, the server as the caller."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from langgraph.store.base import BaseStore
from langgraph_sdk.client import LangGraphClient

from personaagent.memory.user import UserMemory
from personaagent.nodes.dependencies import Dependencies
from personaagent.server.current_user import user_of
from personaagent.server.graphs import dependencies
from personaagent.server.internal_client import internal_client
from personaagent.server.store import server_store


async def server_dependencies() -> Dependencies:
    """The parts that the graphs of this process work with too."""
    return await dependencies.aget()


async def memory_of_caller(
    user_id: Annotated[str, Depends(user_of)],
    store: Annotated[BaseStore, Depends(server_store)],
    deps: Annotated[Dependencies, Depends(server_dependencies)],
) -> UserMemory:
    """The memory of the user who calls: the only one that a route can reach."""
    return deps.memory.of(store, user_id)


async def api_as_caller(request: Request) -> AsyncIterator[LangGraphClient]:
    """The server's own API, asked as the user who calls."""
    async with internal_client(request) as api:
        yield api


ServerStore = Annotated[BaseStore, Depends(server_store)]
ServerDependencies = Annotated[Dependencies, Depends(server_dependencies)]
CurrentUserMemory = Annotated[UserMemory, Depends(memory_of_caller)]
InternalClient = Annotated[LangGraphClient, Depends(api_as_caller)]
