"""Chat models by role: one client a model, made when it is first asked for."""

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from personaagent.core.errors import ConfigurationError
from personaagent.core.settings import Role, Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_openai import ChatOpenAI

OPENAI = "https://api.openai.com/v1"
OPENAI_MODEL = "gpt-4.1-mini"
CONNECT_SECONDS = 10.0


class Models:
    """The chat models that the settings name. Nothing is imported, read or opened before use."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clients: dict[str, ChatOpenAI] = {}
        self._making = asyncio.Lock()

    def describe(self, role: Role) -> str:
        """The name of the model that plays ``role``, and where it runs.

        Raises:
            ConfigurationError: no model is named for the endpoint that is set.
        """
        return (
            f"{self._name(role)} at {urlsplit(self._settings.openai_base_url or OPENAI).hostname}"
        )

    async def chat(self, role: Role) -> "BaseChatModel":
        """The chat model of ``role``, at temperature 0; the same object for the same model.

        Raises:
            ConfigurationError: the address, the key or the model's name cannot be used.
        """
        name = self._name(role)
        async with self._making:
            if name not in self._clients:
                self._clients[name] = self._client(name)
        return self._clients[name]

    async def aclose(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            await client.root_async_client.close()
        self._clients.clear()

    def _name(self, role: Role) -> str:
        name = self._settings.model_for(role)
        if name:
            return name
        if self._settings.openai_base_url:
            raise ConfigurationError(
                "OPENAI_BASE_URL is set, but no model: set PERSONAAGENT_MODEL to a name it serves."
            )
        return OPENAI_MODEL

    def _client(self, name: str) -> "ChatOpenAI":
        settings = self._settings
        key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else "none"
        return connect(
            name,
            _checked_url(settings.openai_base_url or OPENAI),
            _checked_key(key),
            timeout=settings.model_timeout,
            retries=settings.model_retries,
        )


def connect(
    name: str, base_url: str, key: str, *, timeout: float, retries: int, proxies: bool = True
) -> "ChatOpenAI":
    """A client of the model ``name`` at ``base_url``.

    ``timeout``: seconds without a byte; ``retries``: of a request that failed before its answer
    began; ``proxies``: whether the environment's proxy settings hold.
    """
    import httpx2
    from langchain_openai import ChatOpenAI
    from openai import DefaultAsyncHttpxClient

    patience = httpx2.Timeout(timeout, connect=min(CONNECT_SECONDS, timeout))
    return ChatOpenAI(
        model=name,
        base_url=base_url,
        api_key=SecretStr(key),
        temperature=0,
        timeout=patience,
        stream_chunk_timeout=timeout,
        max_retries=retries,
        stream_usage=True,
        use_responses_api=False,
        http_async_client=DefaultAsyncHttpxClient(timeout=patience, trust_env=proxies),
        http_socket_options=(),
    )


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
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
