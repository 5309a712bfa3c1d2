"""Chat models by role: one client a model, made when it is first asked for."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from personaagent.core.errors import ConfigurationError
from personaagent.core.settings import Role, Settings
from personaagent.models.catalog import CHAT, find_model
from personaagent.models.connection import AT_ONCE, http_client, no_sync_client
from personaagent.models.download import OnPull
from personaagent.models.endpoint_memory import FILE, EndpointMemory

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from personaagent.models.endpoint_model import EndpointModel

OPENAI = "https://api.openai.com/v1"
OPENAI_MODEL = "gpt-4.1-mini"


class Models:
    """The chat models that the settings name. Nothing is imported, read or opened before use.

    Args:
        on_pull: called while an embedded model is fetched, with its name, the bytes done, and all.
        at_once: how many requests each model gets at a time.
    """

    def __init__(
        self,
        settings: Settings,
        on_pull: OnPull = lambda name, done, total: None,
        *,
        at_once: int = AT_ONCE,
    ) -> None:
        self._settings = settings
        self._on_pull = on_pull
        self._at_once = at_once
        self._clients: dict[tuple[str, str], EndpointModel] = {}
        self._lock = asyncio.Lock()
        self._memory = EndpointMemory(settings.home / FILE)

    def describe(self, role: Role) -> str:
        """The name of the model that plays ``role``, and where it runs.

        Raises:
            ConfigurationError: no model is named for the endpoint that is set.
        """
        if self._settings.embedded:
            return f"{self._name(role)} (embedded)"
        return (
            f"{self._name(role)} at {urlsplit(self._settings.openai_base_url or OPENAI).hostname}"
        )

    async def chat(self, role: Role) -> "BaseChatModel":
        """The chat model of ``role``, at temperature 0; roles of one model share its client.

        Raises:
            ConfigurationError: the address, the key or the model's name cannot be used.
            DownloadError, DataError: the embedded model cannot be fetched or read.
        """
        name = self._name(role)
        async with self._lock:
            client = await (self._embedded(name) if self._settings.embedded else self._remote(name))
        if not self._settings.json_tools:
            return client
        from personaagent.models.structured_tools import StructuredToolsModel

        return StructuredToolsModel(model=client)

    def take_notices(self) -> list[str]:
        """What the endpoints have refused since the last time, each in one sentence for the user."""
        return self._memory.take_notices()

    async def aclose(self) -> None:
        """Close all connections, even if this is cancelled meanwhile."""
        async with AsyncExitStack() as closing:
            for client in self._clients.values():
                closing.push_async_callback(client.root_async_client.close)
            self._clients.clear()

    def _name(self, role: Role) -> str:
        if name := self._settings.model_for(role):
            return name
        if self._settings.embedded:
            return CHAT
        if self._settings.openai_base_url:
            raise ConfigurationError(
                "OPENAI_BASE_URL is set, but no model: set PERSONAAGENT_MODEL to a name it serves."
            )
        return OPENAI_MODEL

    async def _remote(self, name: str) -> "EndpointModel":
        base_url, key = endpoint_of(self._settings)
        await self._memory.ready()
        return self._client(name, base_url, key, self._settings.model_timeout)

    async def _embedded(self, name: str) -> "EndpointModel":
        """Asks for the server each time: after it has died, a new one has another address."""
        from personaagent.models.download import ensure
        from personaagent.models.embedded import serve
        from personaagent.models.embedded_model import EmbeddedModel
        from personaagent.models.packages import check_packages
        from personaagent.models.waiting_line import shared_line

        settings = self._settings
        check_packages(name)
        folder = await ensure(name, settings.home, partial(self._on_pull, name))
        endpoint = await serve(
            folder / find_model(name).files[0].name,
            context=settings.embedded_context,
            threads=settings.embedded_threads,
        )
        make = partial(EmbeddedModel, line=shared_line(), prefixes=endpoint.prefixes)
        return self._client(
            name, endpoint.base_url, endpoint.api_key, settings.embedded_timeout, make
        )

    def _client(
        self,
        name: str,
        base_url: str,
        key: str,
        timeout: float,
        make: "Callable[..., EndpointModel] | None" = None,
    ) -> "EndpointModel":
        settings, key_of_client = self._settings, (name, base_url)
        if key_of_client not in self._clients:
            self._clients[key_of_client] = connect(
                name,
                base_url,
                key,
                timeout=timeout,
                retries=settings.model_retries,
                at_once=self._at_once,
                memory=EndpointMemory() if settings.embedded else self._memory,
                finds_tools=settings.tool_mode == "auto",
                make=make,
            )
        return self._clients[key_of_client]


def endpoint_of(settings: Settings) -> tuple[str, str]:
    """Base URL and key of the endpoint that the settings name, OpenAI's where they name none.

    Raises:
        ConfigurationError: the one is no address, or the other cannot be a key.
    """
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else "none"
    return _checked_url(settings.openai_base_url or OPENAI), _checked_key(key)


def connect(
    name: str,
    base_url: str,
    key: str,
    *,
    timeout: float,
    retries: int,
    at_once: int = AT_ONCE,
    memory: EndpointMemory | None = None,
    finds_tools: bool = False,
    make: "Callable[..., EndpointModel] | None" = None,
) -> "EndpointModel":
    """A client of the model ``name`` at ``base_url``.

    Args:
        retries: how often a request is sent again that failed before its answer began.
        timeout, at_once: as of ``http_client``.
        memory: what endpoints have refused before.
        finds_tools: choose tools in JSON where the endpoint refuses them.
        make: makes the client in place of ``EndpointModel``.

    Raises:
        ConfigurationError: as ``http_client`` raises it.
    """
    from personaagent.models.endpoint_model import EndpointModel
    from personaagent.models.hidden_errors import show_hidden_errors

    http = http_client(base_url, timeout, at_once=at_once)
    http.event_hooks = {"response": [show_hidden_errors]}
    return (make or EndpointModel)(
        model=name,
        base_url=base_url,
        api_key=SecretStr(key),
        temperature=0,
        timeout=http.timeout,
        stream_chunk_timeout=timeout,
        max_retries=retries,
        stream_usage=True,
        use_responses_api=False,
        http_client=no_sync_client(),
        http_async_client=http,
        http_socket_options=(),
        memory=memory or EndpointMemory(),
        finds_tools=finds_tools,
    )


def _checked_url(url: str) -> str:
    try:
        address = urlsplit(url)
        usable = address.scheme in ("http", "https") and address.hostname and address.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(
            "OPENAI_BASE_URL is no web address: it should look like http://localhost:8000/v1."
        )
    return url


def _checked_key(key: str) -> str:
    key = key.strip()
    if not key or not key.isascii() or not key.isprintable():
        raise ConfigurationError(
            "OPENAI_API_KEY is empty or holds characters that no key has: copy it again."
        )
    return key
