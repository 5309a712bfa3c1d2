"""The ``wikipedia`` package behind LangChain's wrapper, without the globals of either.

Importing this module is slow: leave it to the first search, in a thread.
"""

import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec, module_from_spec
from types import ModuleType, SimpleNamespace
from typing import Any

from bs4 import BeautifulSoup
from langchain_community.utilities.wikipedia import WikipediaAPIWrapper
from wikipedia.exceptions import DisambiguationError, PageError

from personaagent.tools.mediawiki import unreadable

Request = Callable[[dict[str, Any]], dict[str, Any]]

PAGE = {
    "prop": "info|pageprops|extracts",
    "inprop": "url",
    "ppprop": "disambiguation",
    "redirects": "",
    "explaintext": "",
    "exintro": "",
}
OPTIONS = 12


class Summaries(WikipediaAPIWrapper):
    """The wrapper, except that an ambiguous title yields its meanings instead of nothing."""

    def _fetch_page(self, page: str) -> Any:
        try:
            return self.wiki_client.page(title=page, auto_suggest=False)
        except PageError:
            return None
        except DisambiguationError as ambiguous:
            meanings = "; ".join(ambiguous.options[:OPTIONS])
            return SimpleNamespace(summary=f'"{page}" may refer to: {meanings}.')


def summaries(query: str, results: int, request: Request) -> str:
    """The first ``results`` pages on ``query``, title and introduction each; blocks on ``request``.

    Raises:
        ToolException: the answers were not those of a MediaWiki API, or what ``request`` raises.
    """
    # model_construct: a validated wrapper would set the shared package's language, and http.
    wrapper = Summaries.model_construct(
        wiki_client=private_copy(request), top_k_results=results, doc_content_chars_max=sys.maxsize
    )
    try:
        return wrapper.run(query)
    except (LookupError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        raise unreadable() from error


def private_copy(request: Request) -> ModuleType:
    """A copy of the package's module that asks ``request``.

    The module keeps its address, user agent and, for ever, results in globals: a copy for
    each search shares none of them.
    """
    spec = find_spec("wikipedia.wikipedia")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    vars(module).update(
        _wiki_request=lambda params: request(together(params)),
        BeautifulSoup=partial(BeautifulSoup, features="html.parser"),
    )
    return module


def together(params: dict[str, Any]) -> dict[str, Any]:
    """``params``, but what the package asks of a page one by one is asked for at once.

    So its second question is the first one again, which the cache has answered.
    """
    if params.get("prop") in ("info|pageprops", "extracts"):
        return PAGE | {"titles": params["titles"]}
    return params
