"""What FastAPI injects into our routes: the caller's memory, and what serves everybody."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from langgraph.store.base import BaseStore
from langgraph_sdk.client import LangGraphClient

from personaagent.memory.user import UserMemory
from personaagent.nodes.dependencies import Dependencies
from personaagent.server.current_user import current_user
from personaagent.server.graphs import dependencies
from personaagent.server.internal_client import internal_client
from personaagent.server.store import server_store


async def server_dependencies() -> Dependencies:
    """The dependencies that the graphs of this process share."""
    return await dependencies.aget()


async def current_user_memory(
    user_id: Annotated[str, Depends(current_user)],
    store: Annotated[BaseStore, Depends(server_store)],
    deps: Annotated[Dependencies, Depends(server_dependencies)],
) -> UserMemory:
    """The memory of the calling user: the only one that a route can reach."""
    memory = deps.memory.of(store, user_id)
    await memory.store.pin()  # whatever the request waits for: its operation begins now
    return memory


async def caller_client(request: Request) -> AsyncIterator[LangGraphClient]:
    """A client of the server's own API, with the caller's credentials."""
    async with internal_client(request) as client:
        yield client


ServerStore = Annotated[BaseStore, Depends(server_store)]
ServerDependencies = Annotated[Dependencies, Depends(server_dependencies)]
CurrentUserMemory = Annotated[UserMemory, Depends(current_user_memory)]
InternalClient = Annotated[LangGraphClient, Depends(caller_client)]
