"""``search_wikipedia``: facts about the world, for a model to look up."""

import asyncio
from importlib import import_module
from threading import Lock

from cachetools import TTLCache
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import BaseModel, Field

from personaagent.core.settings import Settings
from personaagent.core.text import shorten
from personaagent.prompts.fence import harmless
from personaagent.tools import mediawiki

CACHED_RESULTS = 512
CACHED_SECONDS = 3600

DESCRIPTION = (
    "Look up facts about the world in Wikipedia: people, places, works, events, science. "
    "Not for what the user said, did or likes: Wikipedia knows nothing about the user."
)


class Wikipedia:
    """Searches a Wikipedia for a server: no global changed, no thread held, results cached.

    Results are kept for an hour, failures not. Any number of searches may run at once, on any
    event loop.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._results: TTLCache[str, str] = TTLCache[str, str](CACHED_RESULTS, CACHED_SECONDS)
        self._lock = Lock()

    async def search(self, query: str) -> str:
        """Titles and introductions of the pages on ``query``, within ``observation_chars``.

        An ambiguous title yields its meanings. Ends within ``wikipedia_timeout`` seconds (the
        first search imports the libraries before that).

        Raises:
            ToolException: one sentence for the model on what went wrong.
        """
        if not query.strip():
            raise ToolException("The query is empty: say what to look up.")
        with self._lock:
            known = self._results.get(query)
        if known is not None:
            return known
        limit = self._settings.wikipedia_timeout
        await asyncio.to_thread(import_module, f"{__package__}.wikipedia_package")  # slow, once
        try:
            async with asyncio.timeout(limit):
                text = await self._search(query)
        except TimeoutError as error:
            raise ToolException(
                f"Wikipedia did not answer within {limit:g} seconds: answer without it."
            ) from error
        result = harmless(shorten(text, self._settings.observation_chars))
        with self._lock:
            self._results[query] = result
        return result

    async def _search(self, query: str) -> str:
        """Read the pages with what is answered so far, until nothing is left to be asked."""
        from personaagent.tools.wikipedia_package import Answers, Unanswered, summaries

        answers: Answers = {}
        url = mediawiki.address(self._settings)
        async with await asyncio.to_thread(mediawiki.http_client, self._settings) as http:
            while True:
                try:
                    return await asyncio.to_thread(
                        summaries, query, self._settings.wikipedia_results, answers
                    )
                except Unanswered as missing:
                    key = frozenset(missing.params.items())
                    answers[key] = await mediawiki.query(http, url, missing.params)


class WikipediaQuery(BaseModel):
    """Arguments of ``search_wikipedia``."""

    query: str = Field(
        min_length=1,
        max_length=300,
        description="A name or a short phrase, for example: Marie Curie.",
    )


def search_wikipedia_tool(wikipedia: Wikipedia) -> BaseTool:
    """The tool; a failure becomes a tool message of status ``error`` that says what happened."""
    return StructuredTool.from_function(
        coroutine=wikipedia.search,
        name="search_wikipedia",
        description=DESCRIPTION,
        args_schema=WikipediaQuery,
        handle_tool_error=True,
    )
