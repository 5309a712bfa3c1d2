"""A small MediaWiki on loopback: invented articles, and misbehaviour on demand.

    with mediawiki() as wiki:
        wiki.script.append(Status(429, {"Retry-After": "120"}))   # for the next request
        Settings(wikipedia_url=wiki.url)

It answers what it is asked and no more: no extract without ``prop=extracts``, no redirect
without ``redirects``; a question that it does not know is an error, as in MediaWiki.
"""

import asyncio
import re
import socket
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

ARTICLES = {
    "Velmar": "Velmar is the capital of Ostrenia.\n\nIt was founded in 1204 by salt traders.",
    "Ostrenia": "Ostrenia is a country on the Amber Coast.\n\nIts anthem has nine verses.",
    "Ida Brunnholt": "Ida Brunnholt was an Ostrenian botanist, born in 1871.\n\nShe never married.",
    "Quellin (river)": "The Quellin is a river of 310 km.\n\nIt freezes in most winters.",
    "Quellin (poem)": "Quellin is an epic poem in twelve cantos.\n\nIts author is unknown.",
    "The Lantern War": "The Lantern War was fought from 1611 to 1614.\n\nIt ended in a truce.",
    "Sorrel bridge": "The Sorrel bridge is the oldest bridge of stone.\n\nIt has seven arches.",
    "Tammox": "Tammox is a game for two with forty pebbles.\n\nIts rules date from 1530.",
    "Glass heron": "The glass heron is a wading bird with clear feathers.\n\nIt eats shrimps.",
    "Pelk": "Pelk is a soup of beets and plums.\n\nIt is served cold.",
    "Orrery of Dunmere": "The Orrery of Dunmere is a clock of 1702.\n\nIt loses a second a year.",
}
MEANINGS = {"Quellin": ["Quellin (river)", "Quellin (poem)"]}
REDIRECTS = {"Velmar City": "Velmar", "Moebius": "Moebius"}


@dataclass(frozen=True)
class Status:
    """An HTTP error, with a body that is no JSON."""

    code: int
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Raw:
    """A 200 with this very body."""

    body: str


@dataclass(frozen=True)
class Stall:
    """Nothing at all, or a byte now and then, until the other side hangs up."""

    dribble: bool = False


@dataclass(frozen=True)
class Meet:
    """The true answer, but not before so many requests are there at once."""

    count: int
    gathered: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class Redirect:
    """To another path of this server, which answers."""


@dataclass
class Wiki:
    """A running wiki; ``script`` has an entry a request, from the left; then it is ``always``."""

    url: str
    articles: dict[str, str]
    script: deque[Any] = field(default_factory=deque)
    always: Any = None
    requests: list[dict[str, str]] = field(default_factory=list)
    user_agents: set[str] = field(default_factory=set)
    asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    hung_up: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    together: int = 0
    most_together: int = 0


@contextmanager
def mediawiki(articles: dict[str, str] = ARTICLES) -> Iterator[Wiki]:
    """Serve ``articles`` (title -> text, its introduction first) until the block is left."""
    listener = socket.create_server(("127.0.0.1", 0))
    wiki = Wiki(f"http://127.0.0.1:{listener.getsockname()[1]}/w/api.php", articles)
    config = uvicorn.Config(
        _application(wiki), http="h11", ws="none", lifespan="off", log_config=None, log_level=60
    )
    server = uvicorn.Server(config)
    server.force_exit = True
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield wiki
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def _application(wiki: Wiki) -> Starlette:
    async def api(request: Request) -> Response:
        params = dict(request.query_params)
        wiki.requests.append(params)
        wiki.asked.release()
        wiki.user_agents.add(request.headers["user-agent"])
        wiki.together += 1
        wiki.most_together = max(wiki.most_together, wiki.together)
        try:
            how = wiki.script.popleft() if wiki.script else wiki.always
            return await _respond(wiki, request, params, how)
        finally:
            wiki.together -= 1

    return Starlette(routes=[Route("/w/api.php", api), Route("/moved", api)])


async def _respond(wiki: Wiki, request: Request, params: dict[str, str], how: Any) -> Response:
    match how:
        case Status():
            return Response("<html>Sorry</html>", how.code, how.headers, "text/html")
        case Raw():
            return Response(how.body, media_type="application/json")
        case Redirect():
            return RedirectResponse(f"/moved?{request.url.query}")
        case Stall(dribble=True):
            return StreamingResponse(_dribble(wiki), media_type="application/json")
        case Stall():
            await _end_of(request)
            wiki.hung_up.release()
        case Meet():
            if wiki.together == how.count:
                how.gathered.set()
            await how.gathered.wait()
    return JSONResponse(_answer(wiki.articles, params))


async def _end_of(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _dribble(wiki: Wiki) -> AsyncIterator[bytes]:
    try:
        while True:
            yield b" "
            await asyncio.sleep(0.02)
    finally:
        wiki.hung_up.release()


def _answer(articles: dict[str, str], params: dict[str, str]) -> dict[str, Any]:
    match params:
        case {"action": "query", "format": "json", "list": "search"}:
            found = _search(articles, params["srsearch"])[: int(params["srlimit"])]
            return {"query": {"search": [{"ns": 0, "title": title} for title in found]}}
        case {"action": "query", "format": "json", "prop": props, "titles": title}:
            return {"query": _page(articles, params, props.split("|"), title)}
    return {"error": {"code": "badvalue", "info": f"Unrecognized parameters: {sorted(params)}."}}


def _search(articles: dict[str, str], query: str) -> list[str]:
    """Titles that share words with the query: an exact title first, then by words shared."""
    sought = _words(query)
    pages = articles | {title: title for title in MEANINGS | REDIRECTS if title == query}
    shared = {title: len(sought & _words(f"{title} {text}")) for title, text in pages.items()}
    found = [title for title in shared if shared[title]]
    return sorted(found, key=lambda title: (title != query, -shared[title]))


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def _page(
    articles: dict[str, str], params: dict[str, str], props: list[str], title: str
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "redirects" in params and title in REDIRECTS:
        found["redirects"] = [{"from": title, "to": REDIRECTS[title]}]
        title = REDIRECTS[title]
    if title not in articles | MEANINGS | REDIRECTS:
        return found | {"pages": {"-1": {"title": title, "missing": ""}}}
    page: dict[str, Any] = {"pageid": sum(title.encode()), "ns": 0, "title": title}
    if "info" in props and params.get("inprop") == "url":
        page["fullurl"] = f"https://wiki.example/{title}"
    if "pageprops" in props and title in MEANINGS:
        page["pageprops"] = {"disambiguation": ""}
    if "extracts" in props and "explaintext" in params:
        text = articles.get(title, f"{title} may mean several things.")
        page["extract"] = text.split("\n\n")[0] if "exintro" in params else text
    if "revisions" in props and "rvparse" in params:
        items = "".join(f"<li><a href='#'>{option}</a></li>" for option in MEANINGS[title])
        page["revisions"] = [{"*": f"<ul>{items}</ul>"}]
    return found | {"pages": {str(page["pageid"]): page}}
