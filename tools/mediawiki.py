"""Requests to a MediaWiki API: own user agent, one deadline, one retry, failures as sentences."""

import asyncio
from functools import cache
from ssl import SSLContext
from typing import Any, Self

import httpx2
from langchain_core.tools import ToolException
from tenacity import RetryCallState, retry, retry_if_exception, stop_after_attempt
from urllib3 import Retry
from urllib3.exceptions import InvalidHeader

from personaagent.core.settings import Settings

LONGEST_WAIT = 2.0
"""A longer Retry-After than this (seconds) is told to the model instead of waited for."""
DEFAULT_WAIT = 0.5


class Busy(ToolException):
    """The API is overloaded or limits us; ``wait`` is how long it wants to be left alone (s)."""

    def __init__(self, status: int, wait: float) -> None:
        super().__init__(
            f"Wikipedia is busy (HTTP {status}) and asks to wait {wait:.0f} seconds: "
            "answer without it, or search again later."
        )
        self.wait = wait


class MediaWiki:
    """The requests of one search, which end together: ``wikipedia_timeout`` after it was entered.

    Async on purpose: only a cancelled task ends in time whatever the peer does (name lookup,
    handshake, a header or a body that comes byte by byte); a socket's time-out starts anew
    with each byte.
    """

    def __init__(self, settings: Settings) -> None:
        language = settings.wikipedia_language
        self.url = settings.wikipedia_url or f"https://{language}.wikipedia.org/w/api.php"
        self._limit = settings.wikipedia_timeout
        self._http = httpx2.AsyncClient(
            headers={"User-Agent": settings.wikipedia_user_agent},
            verify=tls(),
            timeout=None,
            follow_redirects=True,
        )

    async def __aenter__(self) -> Self:
        self._deadline = asyncio.get_running_loop().time() + self._limit
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._http.__aexit__(*error)

    async def query(self, params: dict[str, Any]) -> dict[str, Any]:
        """The JSON object that the API answers to ``action=query`` with ``params``.

        Raises:
            ToolException: one sentence for the model; nothing else.
        """
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._query(params)
        except TimeoutError as error:
            raise ToolException(
                f"Wikipedia did not answer within {self._limit:g} seconds: answer without it."
            ) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ToolException(
                f"Wikipedia cannot be reached ({error or type(error).__name__}): answer without it."
            ) from error

    @retry(
        retry=retry_if_exception(lambda e: isinstance(e, Busy) and e.wait <= LONGEST_WAIT),
        wait=lambda state: waiting(state),
        stop=stop_after_attempt(2),
        reraise=True,
    )
    async def _query(self, params: dict[str, Any]) -> dict[str, Any]:
        response = await self._http.get(
            self.url, params={"action": "query", "format": "json"} | params
        )
        status = response.status_code
        if status == 429 or status >= 500:
            raise Busy(status, retry_after(response.headers.get("Retry-After")))
        if not response.is_success:
            raise ToolException(
                f"Wikipedia refused the search (HTTP {status}): trying again will not help, "
                "answer without it."
            )
        try:
            answer = response.json()
        except ValueError as error:
            raise unreadable() from error
        if not isinstance(answer, dict):
            raise unreadable()
        if refusal := answer.get("error"):
            reason = refusal.get("info", refusal) if isinstance(refusal, dict) else refusal
            raise ToolException(f"Wikipedia could not do the search: {reason}")
        return answer


def unreadable() -> ToolException:
    """What to raise for an answer that is not what a MediaWiki API says."""
    return ToolException(
        "Wikipedia's answer could not be read, it is not a MediaWiki API's: answer without it."
    )


def retry_after(header: str | None) -> float:
    """Seconds that a Retry-After header (seconds or an HTTP date) asks for."""
    try:
        return Retry().parse_retry_after(header) if header else DEFAULT_WAIT
    except InvalidHeader:
        return DEFAULT_WAIT


def waiting(state: RetryCallState) -> float:
    """Seconds that the failed attempt was asked to wait."""
    error = state.outcome and state.outcome.exception()
    return error.wait if isinstance(error, Busy) else DEFAULT_WAIT


@cache
def tls() -> SSLContext:
    """The certificates that we trust, read once."""
    return httpx2.create_ssl_context()
