"""What a route is given: the caller's own memory, the parts of the process, the server as the caller."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from langgraph.store.base import BaseStore
from langgraph_sdk.client import LangGraphClient

from personaagent.memory.user import UserMemory
from personaagent.nodes.parts import Parts
from personaagent.server.current_user import user_of
from personaagent.server.graphs import dependencies
from personaagent.server.internal_client import own_api
from personaagent.server.store import server_store


async def parts_of_process() -> Parts:
    """The parts that the graphs of this process work with too."""
    return await dependencies.aget()


async def memory_of_caller(
    user_id: Annotated[str, Depends(user_of)],
    store: Annotated[BaseStore, Depends(server_store)],
    parts: Annotated[Parts, Depends(parts_of_process)],
) -> UserMemory:
    """The memory of the user who calls: the only one that a route can reach."""
    return parts.memory.of(store, user_id)


async def api_as_caller(request: Request) -> AsyncIterator[LangGraphClient]:
    """The server's own API, asked as the user who calls."""
    async with own_api(request) as api:
        yield api


Store = Annotated[BaseStore, Depends(server_store)]
Process = Annotated[Parts, Depends(parts_of_process)]
Mine = Annotated[UserMemory, Depends(memory_of_caller)]
Api = Annotated[LangGraphClient, Depends(api_as_caller)]
