"""``search_wikipedia``: facts about the world, for a model to look up."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from threading import Lock
from typing import Any

from cachetools import TTLCache, cached
from cachetools.keys import hashkey
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import BaseModel, Field

from personaagent.core.settings import Settings
from personaagent.core.text import shorten
from personaagent.tools.mediawiki import MediaWiki

SIDE_BY_SIDE = 8
CACHED_ANSWERS = 512
CACHED_SECONDS = 3600

DESCRIPTION = (
    "Look up facts about the world in Wikipedia: people, places, works, events, science. "
    "Not for what the user said, did or likes: Wikipedia knows nothing about the user."
)


class Wikipedia:
    """Searches a Wikipedia for a server: no global changed, no thread held, answers cached.

    Results are kept for an hour, failures not. Any number of searches, on any event loop, may
    run at once; eight do so side by side.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._threads = ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="wikipedia")
        self._answers: TTLCache[Any, dict[str, Any]] = TTLCache(CACHED_ANSWERS, CACHED_SECONDS)
        self._lock = Lock()

    async def search(self, query: str) -> str:
        """Titles and introductions of the pages on ``query``, within ``observation_chars``.

        An ambiguous title yields its meanings. Ends within ``wikipedia_timeout`` seconds
        (the first search imports the libraries before that), and its thread with it.

        Raises:
            ToolException: one sentence for the model on what went wrong.
        """
        if not query.strip():
            raise ToolException("The query is empty: say what to look up.")
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(import_module, f"{__package__}.wikipedia_package")  # slow, once
        from personaagent.tools.wikipedia_package import summaries

        async with await asyncio.to_thread(MediaWiki, self._settings) as wiki:

            @cached(self._answers, key=lambda params: hashkey(**params), lock=self._lock)
            def request(params: dict[str, Any]) -> dict[str, Any]:
                return asyncio.run_coroutine_threadsafe(wiki.query(params), loop).result()

            results = self._settings.wikipedia_results
            found = await loop.run_in_executor(self._threads, summaries, query, results, request)
        return shorten(found, self._settings.observation_chars)


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
