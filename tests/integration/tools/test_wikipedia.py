"""``search_wikipedia`` against a MediaWiki on loopback that behaves, and does not."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import wikipedia.wikipedia as shared
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import ToolException
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from personaagent.core.settings import load_settings
from personaagent.tools.wikipedia import Wikipedia, search_wikipedia_tool
from tests.support.mediawiki import (
    ARTICLES,
    Meet,
    Raw,
    Redirect,
    Stall,
    Status,
    Wiki,
    mediawiki,
)

MANY = 10


@pytest.fixture
def wiki() -> Iterator[Wiki]:
    with mediawiki() as running:
        yield running


def client(wiki: Wiki, **settings: Any) -> Wikipedia:
    return Wikipedia(load_settings(wikipedia_url=wiki.url, **settings))


async def failure(search: Wikipedia, query: str = "Velmar") -> str:
    with pytest.raises(ToolException) as caught:
        await search.search(query)
    return str(caught.value)


async def test_titles_and_introductions_with_our_user_agent(wiki: Wiki) -> None:
    found = await client(wiki, wikipedia_user_agent="Tester/1.0 (me)").search("Velmar Ostrenia")
    assert found == (
        "Page: Velmar\nSummary: Velmar is the capital of Ostrenia.\n\n"
        "Page: Ostrenia\nSummary: Ostrenia is a country on the Amber Coast."
    )
    assert wiki.user_agents == {"Tester/1.0 (me)"}
    assert len(wiki.requests) == 3  # the search, and one a page


async def test_the_number_of_pages_is_a_setting(wiki: Wiki) -> None:
    found = await client(wiki, wikipedia_results=1).search("Velmar Ostrenia")
    assert found == "Page: Velmar\nSummary: Velmar is the capital of Ostrenia."


async def test_a_title_that_redirects(wiki: Wiki) -> None:
    found = await client(wiki, wikipedia_results=1).search("Velmar City")
    assert "Velmar is the capital of Ostrenia." in found


async def test_an_address_that_redirects(wiki: Wiki) -> None:
    wiki.script.append(Redirect())
    assert "soup of beets" in await client(wiki).search("Pelk")


async def test_an_ambiguous_title_names_its_meanings(wiki: Wiki) -> None:
    found = await client(wiki, wikipedia_results=1).search("Quellin")
    assert '"Quellin" may refer to: Quellin (river); Quellin (poem).' in found


async def test_nothing_found_is_no_error(wiki: Wiki) -> None:
    assert await client(wiki).search("xyzzy") == "No good Wikipedia Search Result was found"


async def test_a_long_result_is_cut_after_a_sentence() -> None:
    with mediawiki({"Long": "This sentence is one of many. " * 50}) as wiki:
        found = await client(wiki, observation_chars=200).search("Long")
    assert len(found) <= 200
    assert found.endswith("one of many. …")


async def test_a_second_search_for_the_same_asks_nothing(wiki: Wiki) -> None:
    search = client(wiki)
    first = await search.search("Pelk")
    asked = len(wiki.requests)
    assert asked > 0
    assert await search.search("Pelk") == first
    assert len(wiki.requests) == asked


async def test_failures_are_not_kept(wiki: Wiki) -> None:
    search = client(wiki)
    wiki.script.append(Status(403))
    await failure(search, "Pelk")
    assert "soup of beets" in await search.search("Pelk")


def in_five_hours() -> str:
    """From when the tests were collected: more than 10,000 seconds for two hours after."""
    return format_datetime(datetime.now(UTC) + timedelta(hours=5), usegmt=True)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (Status(403), "refused the search (HTTP 403)"),
        (Status(404), "refused the search (HTTP 404)"),
        (Status(429, {"Retry-After": "120"}), "asks to wait 120 seconds"),
        (Status(429, {"Retry-After": in_five_hours()}), "asks to wait 1"),
        (Status(503, {"Retry-After": "60"}), "(HTTP 503) and asks to wait 60 seconds"),
        (Raw("<html>hello</html>"), "could not be read"),
        (Raw("[1, 2]"), "could not be read"),
        (Raw('{"batchcomplete": ""}'), "could not be read"),
        (Raw('{"query": {"search": [7]}}'), "could not be read"),
        (Raw('{"error": {"info": "Search is disabled."}}'), "Search is disabled."),
        (Raw('{"error": "odd"}'), "could not do the search: odd"),
    ],
)
async def test_a_failure_is_one_request_and_one_sentence(
    wiki: Wiki, how: Any, message: str
) -> None:
    wiki.always = how
    assert message in await failure(client(wiki))
    assert len(wiki.requests) == 1


async def test_a_redirect_in_a_circle(wiki: Wiki) -> None:
    assert "could not be read" in await failure(client(wiki), "Moebius")


@pytest.mark.parametrize(
    "how", [Status(500), Status(429, {"Retry-After": "0"}), Status(503, {"Retry-After": "soon"})]
)
async def test_a_passing_failure_is_tried_once_more(wiki: Wiki, how: Status) -> None:
    wiki.script.append(how)
    assert "soup of beets" in await client(wiki).search("Pelk")
    wiki.always, asked = how, len(wiki.requests)
    assert f"HTTP {how.code}" in await failure(client(wiki))
    assert len(wiki.requests) == asked + 2


async def test_nobody_there(unused_tcp_port: int) -> None:
    for url in (f"http://127.0.0.1:{unused_tcp_port}/w/api.php", "wiki/api.php"):
        search = Wikipedia(load_settings(wikipedia_url=url))
        assert "cannot be reached" in await failure(search)


async def test_a_proxy_that_cannot_be_used_is_told_where_it_would_be(
    wiki: Wiki, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "ftp://proxy.example")
    assert "Velmar" in await client(wiki).search("Velmar")  # on this machine: no proxy
    away = Wikipedia(load_settings(wikipedia_url="https://wiki.invalid/api.php"))
    assert "ALL_PROXY" in await failure(away)


async def test_an_empty_query_asks_nothing(wiki: Wiki) -> None:
    assert "query is empty" in await failure(client(wiki), "  ")
    assert wiki.requests == []


@pytest.mark.parametrize("how", [Stall(), Stall(dribble=True)])
async def test_a_stalled_peer_holds_neither_loop_nor_threads(wiki: Wiki, how: Stall) -> None:
    wiki.always = how
    search = client(wiki, wikipedia_timeout=0.5)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    messages = await asyncio.gather(*(failure(search, f"Velmar {n}") for n in range(MANY)))
    ticking.cancel()
    assert set(messages) == {"Wikipedia did not answer within 0.5 seconds: answer without it."}
    assert ticks >= 10
    for _ in range(MANY):
        assert await asyncio.to_thread(wiki.hung_up.acquire, timeout=5)
    wiki.always = None
    assert "soup of beets" in await search.search("Pelk")


async def test_a_header_that_never_ends() -> None:
    hung_up = asyncio.Event()

    async def peer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Endless: ")
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.02)
        hung_up.set()

    async with await asyncio.start_server(peer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}/w/api.php"
        search = Wikipedia(load_settings(wikipedia_url=url, wikipedia_timeout=0.3))
        assert "did not answer within 0.3 seconds" in await failure(search)
        await asyncio.wait_for(hung_up.wait(), 5)


async def test_a_cancelled_search_hangs_up(wiki: Wiki) -> None:
    wiki.always = Stall()
    searching = asyncio.create_task(client(wiki).search("Pelk"))
    assert await asyncio.to_thread(wiki.asked.acquire, timeout=5)
    searching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await searching
    assert await asyncio.to_thread(wiki.hung_up.acquire, timeout=5)


async def test_ten_at_once_side_by_side(wiki: Wiki) -> None:
    titles = list(ARTICLES)[:MANY]
    wiki.always = Meet(MANY)
    search = client(wiki, wikipedia_results=1)
    found = await asyncio.gather(*map(search.search, titles))
    assert wiki.most_together == MANY
    for title, text in zip(titles, found, strict=True):
        introduction = ARTICLES[title].split("\n\n")[0]
        assert text == f"Page: {title}\nSummary: {introduction}"


async def test_two_wikis_at_once_leave_each_other_and_the_package_alone(wiki: Wiki) -> None:
    before = dict(vars(shared)), dict(shared.search._cache)
    with mediawiki({"Pelk": "Pelk ist eine Suppe."}) as german:
        ours, theirs = client(wiki), client(german, wikipedia_user_agent="Deutsch/1.0")
        answers = await asyncio.gather(*(c.search("Pelk") for c in (ours, theirs) * 3))
        assert german.user_agents == {"Deutsch/1.0"}
    assert set(answers[0::2]) == {"Page: Pelk\nSummary: Pelk is a soup of beets and plums."}
    assert set(answers[1::2]) == {"Page: Pelk\nSummary: Pelk ist eine Suppe."}
    assert (dict(vars(shared)), dict(shared.search._cache)) == before


async def test_a_failure_reaches_the_model_as_a_tool_message(wiki: Wiki) -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("tools", ToolNode([search_wikipedia_tool(client(wiki))]))
    graph.add_edge(START, "tools")
    graph.add_edge("tools", END)
    wiki.always = Status(403)

    async def call(**args: str) -> ToolMessage:
        asked = {"name": "search_wikipedia", "args": args, "id": "1", "type": "tool_call"}
        state = MessagesState(messages=[AIMessage("", tool_calls=[asked])])
        message = (await graph.compile().ainvoke(state))["messages"][-1]
        assert isinstance(message, ToolMessage)
        return message

    refused = await call(query="Velmar")
    assert refused.status == "error"
    assert refused.text.startswith("Wikipedia refused the search (HTTP 403)")
    assert (await call(question="Velmar")).status == "error"
    wiki.always = None
    answered = await call(query="Velmar")
    assert answered.status == "success"
    assert "capital of Ostrenia" in json.dumps(answered.content)
