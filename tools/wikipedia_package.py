"""The ``wikipedia`` package behind LangChain's wrapper, without network and shared globals.

Importing this module takes seconds: leave it to the first search, in a thread.
"""

import sys
from contextvars import ContextVar
from functools import partial
from importlib.util import find_spec, module_from_spec
from types import ModuleType, SimpleNamespace
from typing import Any

from bs4 import BeautifulSoup
from langchain_community.utilities.wikipedia import WikipediaAPIWrapper
from langchain_core.tools import ToolException
from wikipedia.exceptions import DisambiguationError, PageError

from personaagent.tools.mediawiki import UNREADABLE

Answers = dict[frozenset[tuple[str, Any]], dict[str, Any]]
"""What the API answered, by the items of the parameters."""

PAGE = {
    "prop": "info|pageprops|extracts",
    "inprop": "url",
    "ppprop": "disambiguation",
    "redirects": "",
    "explaintext": "",
    "exintro": "",
}
"""All that the package asks of a page in two requests."""
OPTIONS = 12


class Unanswered(BaseException):
    """``params`` is what must be asked next; no ``except Exception`` of a library may swallow it."""

    def __init__(self, params: dict[str, Any]) -> None:
        super().__init__()
        self.params = params


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


def summaries(query: str, results: int, answers: Answers) -> str:
    """Title and introduction of the first ``results`` pages on ``query``, out of ``answers``.

    Raises:
        Unanswered: with the request whose answer is missing: add it, and call again.
        ToolException: the answers are not those of a MediaWiki API.
    """
    _answers.set(answers)
    client = SimpleNamespace(search=_package.search.fn, page=_package.page)  # fn: without its cache
    # model_construct: a validated wrapper would set the shared package's language, and http.
    wrapper = Summaries.model_construct(
        wiki_client=client, top_k_results=results, doc_content_chars_max=sys.maxsize
    )
    try:
        return wrapper.run(query)
    except (LookupError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        raise ToolException(UNREADABLE) from error


def _request(params: dict[str, Any]) -> dict[str, Any]:
    """The answer that is there, in place of the package's own request."""
    if params.get("prop") in ("info|pageprops", "extracts"):
        params = PAGE | {"titles": params["titles"]}
    answer = _answers.get().get(frozenset(params.items()))
    if answer is None:
        raise Unanswered(params)
    return answer


def _private_copy() -> ModuleType:
    """A copy of the package's module that asks ``_request``; whoever else uses it sees nothing."""
    spec = find_spec("wikipedia.wikipedia")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    parse = partial(BeautifulSoup, features="html.parser")
    vars(module).update(_wiki_request=_request, BeautifulSoup=parse)
    return module


_answers: ContextVar[Answers] = ContextVar("answers")
_package = _private_copy()
