"""Messages that a chat page edits, or has answered again, as pages on LangGraph's server do it."""

from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient

from tests.support.our_routes import ask
from tests.support.server import Server

MALMO, LUND = "My dog is called Rex.", "My dog is called Bello."
QUESTION = "What is my dog called?"


class Page:
    """A chat page on one thread: it goes on from the checkpoint before the message's own."""

    def __init__(self, sdk: LangGraphClient, thread: str) -> None:
        self.sdk, self.thread = sdk, thread

    async def say(self, text: str | None, checkpoint: Any = None) -> Any:
        """Send a message; None: have the last one answered again."""
        asked = None if text is None else {"messages": [{"role": "user", "content": text}]}
        return await self.sdk.runs.wait(
            self.thread, "agent", input=asked, checkpoint=checkpoint, raise_error=True
        )

    async def before(self, text: str) -> Any:
        """The checkpoint before the one in which a message of this text is first seen."""
        history = await self.sdk.threads.get_history(self.thread, limit=100)
        seen = [
            state
            for state in history
            if any(each["content"] == text for each in state["values"].get("messages", []))
        ]
        return seen[-1]["parent_checkpoint"]

    async def end(self) -> Any:
        """The checkpoint of the thread's end."""
        return (await self.sdk.threads.get_state(self.thread))["checkpoint"]


@pytest.fixture
async def page(sdk: LangGraphClient) -> Page:
    return Page(sdk, (await sdk.threads.create())["thread_id"])


def answer(state: Any) -> str:
    return str(state["messages"][-1]["content"])


async def standing(http: httpx.AsyncClient) -> dict[str, bool]:
    """The episodes, oldest first, and whether each stands."""
    episodes = (await http.get("/me/episodes")).json()["items"]
    return {each["query"]: not each["discarded"] for each in reversed(episodes)}


async def test_an_edited_message_is_discarded_until_the_user_returns(
    page: Page, sdk: LangGraphClient, http: httpx.AsyncClient
) -> None:
    await page.say("Hello.")
    await page.say(MALMO)
    rex = await page.end()
    await page.say(LUND, await page.before(MALMO))
    assert await standing(http) == {"Hello.": True, MALMO: False, LUND: True}
    assert answer(await ask(sdk, QUESTION)) == "I do not know."
    found = await http.post("/me/episodes/search", json={"text": "dog called", "top_k": 9})
    assert MALMO not in [each["query"] for each in found.json()]
    assert answer(await page.say(QUESTION, rex)) == "Your dog is called Rex."
    assert answer(await ask(sdk, QUESTION)) == "Your dog is called Rex."
    episodes = await standing(http)
    assert (episodes[MALMO], episodes[LUND]) == (True, False)


async def test_the_first_message_can_be_edited(page: Page, http: httpx.AsyncClient) -> None:
    await page.say(MALMO)
    await page.say("Hello.")
    await page.say("Something quite different.", await page.before(MALMO))
    episodes = await standing(http)
    assert episodes == {MALMO: False, "Hello.": False, "Something quite different.": True}


async def test_an_answer_that_is_made_anew_leaves_the_first_with_its_label(
    page: Page, http: httpx.AsyncClient
) -> None:
    await page.say("Hello.")
    first = await page.say(MALMO)
    place = f"/me/episodes/{first['episode_id']}"
    edit = {"signal": "edit", "text": "Rex, then."}
    (await http.put(f"{place}/feedback", json=edit)).raise_for_status()
    history = await page.sdk.threads.get_history(page.thread, limit=100)
    unanswered = next(state for state in history if state["next"] == ["react"])["checkpoint"]
    second = await page.say(None, unanswered)
    third = await page.say(None, unanswered)
    ids = {first["episode_id"], second["episode_id"], third["episode_id"]}
    assert len(ids) == 3
    kept = (await http.get(place)).json()
    assert (kept["ground_truth"], kept["discarded"]) == ("Rex, then.", True)
    listed = (await http.get("/me/episodes")).json()["items"]
    assert next(each["id"] for each in listed if not each["discarded"]) == third["episode_id"]
    assert (await http.get("/me/profile")).json()["facts"] == []


async def test_an_export_takes_the_branches_along(
    page: Page, http: httpx.AsyncClient, server: Server, user: str
) -> None:
    await page.say("Hello.")
    await page.say(MALMO)
    await page.say(LUND, await page.before(MALMO))
    exported = (await http.get("/me/export")).content
    async with server.http(f"{user}-moved") as moved:
        (await moved.post("/me/import", content=exported)).raise_for_status()
        assert await standing(moved) == {"Hello.": True, MALMO: False, LUND: True}
        found = await moved.post("/me/episodes/search", json={"text": "dog", "top_k": 9})
        assert MALMO not in [each["query"] for each in found.json()]


async def test_a_page_may_take_messages_out(page: Page, http: httpx.AsyncClient) -> None:
    await page.say("Hello.")
    messages = (await page.say(MALMO))["messages"]
    out = [{"role": "remove", "content": "", "id": each["id"]} for each in messages[2:]]
    edited = {"messages": [*out, {"role": "user", "content": LUND}]}
    await page.sdk.runs.wait(page.thread, "agent", input=edited, raise_error=True)
    assert await standing(http) == {"Hello.": True, MALMO: False, LUND: True}
