"""The memory server for MCP clients over HTTP: one for all callers, each with their own memory."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import reduce
from hashlib import sha256
from hmac import digest
from importlib.metadata import version
from importlib.util import find_spec
from os import urandom
from typing import TYPE_CHECKING, Any

from langgraph_sdk.client import LangGraphClient
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from personaagent.core.errors import Unknown
from personaagent.core.settings import Settings
from personaagent.memory.forget import Receipt
from personaagent.memory.user import UserMemory
from personaagent.server.forgetting import forget_episode

if TYPE_CHECKING:
    from mcp.server.request_state import RequestStateSecurity
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from personaagent.tools.memory_server import MemoryAccess

KEY_PURPOSE = b"personaagent: what MCP clients hold between question and answer"

_access: ContextVar["MemoryAccess"] = ContextVar("mcp_access")
"""Of the request under way. The server is stateless: each request runs in a context of its own."""
_serving: list["StreamableHTTPSessionManager"] = []
"""What serves while the application runs."""


@asynccontextmanager
async def serving_memory(settings: Settings) -> AsyncIterator[None]:
    """Serve MCP clients until the block is left, if the package ``mcp`` is installed."""
    if find_spec("mcp") is None:
        yield
        return
    from mcp.server.transport_security import TransportSecuritySettings

    from personaagent.tools.memory_server import MemoryServer

    logging.getLogger("mcp").setLevel(logging.WARNING)  # below, it names users
    server = MemoryServer(_access.get, version("personaagent"), _security(settings))
    # makes the session manager; hosts and pages are checked with whoever calls (``dev_auth``)
    unchecked = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    server.streamable_http_app(stateless_http=True, transport_security=unchecked)
    async with server.session_manager.run():
        _serving.append(server.session_manager)
        try:
            yield
        finally:
            _serving.remove(server.session_manager)


class MemoryResponse(Response):
    """Lets the memory server answer a request, for the user to whom ``memory`` belongs.

    Raises:
        Unknown: this server serves no MCP clients.
    """

    def __init__(self, memory: UserMemory, api: LangGraphClient) -> None:
        super().__init__()
        if not _serving:
            raise Unknown("This server has no MCP: its package `mcp` is not installed.")
        self._memory, self._api = memory, api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        from personaagent.tools.memory_server import MemoryAccess

        before = _access.set(MemoryAccess(self._memory, self._forget))
        try:
            await _serving[-1].handle_request(scope, receive, send)
        finally:
            _access.reset(before)

    async def _forget(self, episode_ids: list[str]) -> Receipt:
        receipts = [
            await forget_episode(self._memory, self._api, each, "blank") for each in episode_ids
        ]
        return reduce(_together, receipts)


def _together(first: Receipt, second: Receipt) -> Receipt:
    fields = {name: getattr(first, name) + getattr(second, name) for name in Receipt.model_fields}
    return Receipt(**fields)


def _security(settings: Settings) -> "RequestStateSecurity":
    """Each user's own; with a secret for tokens, all processes take up each other's questions."""
    from mcp.server.request_state import RequestStateSecurity

    secret = settings.auth_secret
    key = urandom(32) if secret is None else secret.get_secret_value().encode()
    return RequestStateSecurity(keys=[digest(key, KEY_PURPOSE, sha256)], bind_principal=_user)


def _user(_: Any) -> str:
    return _access.get().memory.user_id
