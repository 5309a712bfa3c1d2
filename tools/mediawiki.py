"""Requests to a MediaWiki API: own user agent, one retry, failures as sentences."""

import asyncio
from typing import Any

import httpx2
from langchain_core.tools import ToolException
from urllib3 import Retry
from urllib3.exceptions import InvalidHeader

from personaagent.core.audience import audience_quote
from personaagent.core.errors import ConfigurationError
from personaagent.core.settings import Settings
from personaagent.models.connection import trusted
from personaagent.models.proxies import proxy_for

LONGEST_WAIT = 2.0
"""Seconds of a Retry-After that we wait; a longer one is reported to the model."""
DEFAULT_WAIT = 0.5
UNREADABLE = "Wikipedia's answer could not be read, it is not a MediaWiki API's: answer without it."


class Busy(ToolException):
    """The API is overloaded or limits us, and asks to be left alone for ``wait`` seconds."""

    def __init__(self, status: int, wait: float) -> None:
        super().__init__(
            f"Wikipedia is busy (HTTP {status}) and asks to wait {wait:.0f} seconds: "
            "answer without it, or search again later."
        )
        self.wait = wait


def http_client(settings: Settings) -> httpx2.AsyncClient:
    """A client for one search, without a time limit of its own: cancel the task instead.

    A socket's time-out starts anew with each byte; cancelling ends a request whatever the peer does.

    Raises:
        ToolException: the proxy that the environment names for Wikipedia cannot be used.
    """
    try:
        proxy = proxy_for(address(settings))
    except ConfigurationError as error:
        raise ToolException(
            f"Wikipedia cannot be reached, answer without it: {audience_quote(error)}"
        ) from error
    return httpx2.AsyncClient(
        headers={"User-Agent": settings.wikipedia_user_agent},
        verify=trusted(),
        proxy=proxy,
        trust_env=False,
        timeout=None,
        follow_redirects=True,
    )


def address(settings: Settings) -> str:
    """The API that the settings name, or that of their language."""
    language = settings.wikipedia_language
    return settings.wikipedia_url or f"https://{language}.wikipedia.org/w/api.php"


async def query(http: httpx2.AsyncClient, url: str, params: dict[str, Any]) -> dict[str, Any]:
    """The JSON object that the API answers to ``action=query`` with ``params``.

    Raises:
        ToolException: one sentence for the model; nothing else.
    """
    try:
        return await _query(http, url, params)
    except Busy as busy:
        if busy.wait > LONGEST_WAIT:
            raise
        await asyncio.sleep(busy.wait)
        return await _query(http, url, params)


async def _query(http: httpx2.AsyncClient, url: str, params: dict[str, Any]) -> dict[str, Any]:
    try:
        response = await http.get(url, params={"action": "query", "format": "json"} | params)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise ToolException(
            f"Wikipedia cannot be reached ({audience_quote(error)}): answer without it."
        ) from error
    status = response.status_code
    if status == 429 or status >= 500:
        raise Busy(status, _retry_after(response.headers.get("Retry-After")))
    if not response.is_success:
        raise ToolException(
            f"Wikipedia refused the search (HTTP {status}): trying again will not help, "
            "answer without it."
        )
    try:
        answer = response.json()
    except ValueError as error:
        raise ToolException(UNREADABLE) from error
    if not isinstance(answer, dict):
        raise ToolException(UNREADABLE)
    if refusal := answer.get("error"):
        reason = refusal.get("info", refusal) if isinstance(refusal, dict) else refusal
        raise ToolException(f"Wikipedia could not do the search: {audience_quote(str(reason))}")
    return answer


def _retry_after(header: str | None) -> float:
    """Seconds that a Retry-After header (seconds or an HTTP date) asks for."""
    try:
        return Retry().parse_retry_after(header) if header else DEFAULT_WAIT
    except InvalidHeader:
        return DEFAULT_WAIT
