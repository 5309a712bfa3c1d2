"""A user's episodes, by our routes and by turns."""

import json
from typing import Any

import httpx
from langgraph_sdk.client import LangGraphClient


def lines(*episodes: dict[str, Any]) -> bytes:
    """The episodes as ``/me/import`` takes them."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in episodes)


def question(number: int, **fields: Any) -> dict[str, Any]:
    """An episode of that day of January."""
    return {
        "id": f"e{number}",
        "query": f"Question {number}?",
        "response": f"Answer {number}.",
        "created_at": f"2026-01-{number:02}T00:00:00Z",
        **fields,
    }


async def import_(http: httpx.AsyncClient, *episodes: dict[str, Any]) -> None:
    """Import the episodes."""
    (await http.post("/me/import", content=lines(*episodes))).raise_for_status()


async def ask(sdk: LangGraphClient, text: str, **context: Any) -> dict[str, Any]:
    """A turn on a thread of its own: the state then, and ``thread_id``."""
    thread = await sdk.threads.create()
    asked = {"messages": [{"role": "user", "content": text}]}
    state: Any = await sdk.runs.wait(thread["thread_id"], "agent", input=asked, context=context)
    return state | {"thread_id": thread["thread_id"]}


async def ids(http: httpx.AsyncClient, **asked: Any) -> list[str]:
    """The ids of the user's episodes, newest first."""
    return [each["id"] for each in (await http.get("/me/episodes", params=asked)).json()["items"]]
