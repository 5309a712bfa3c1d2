"""Our own routes on the development server: a user's memory and persona, a whole life long."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import NotFoundError

from personaagent.memory.persona_edits import RULE_CHARS
from personaagent.server.limits import BODY_BYTES
from tests.server.conftest import LONGEST_IMPORT
from tests.support.our_routes import ask, ids, import_, lines, question
from tests.support.server import Server


@pytest.fixture(scope="module")
def server(token_server: Server) -> Server:
    """The development server alone."""
    return token_server


async def test_an_import_with_errors_is_refused_whole(http: httpx.AsyncClient) -> None:
    content = lines(question(1), {"query": "No response?"}) + b"no JSON\n"
    refused = await http.post("/me/import", content=content)
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("Nothing was imported: the upload has 2 errors")
    assert [each.split(":")[0] for each in refused.json()["problems"]] == [
        "the upload, line 2",
        "the upload, line 3",
    ]
    for content, why in ((b"", "holds no episode"), (b"PK\x03\x04", "zip archive")):
        refused = await http.post("/me/import", content=content)
        assert (refused.status_code, why in refused.json()["detail"]) == (422, True)
    assert await ids(http) == []


async def test_a_backup_is_restored_for_another_user(
    http: httpx.AsyncClient, token_server: Server, user: str
) -> None:
    await import_(http, question(1), question(2, ground_truth="Blue."))
    (
        await http.post("/me/profile/statements", json={"texts": ["Lives in Lisbon."]})
    ).raise_for_status()
    archive = await http.get("/me/backup")
    assert archive.headers["content-type"] == "application/zip", archive.text
    async with token_server.http(f"{user}-moved") as other:
        restored = await other.post("/me/restore", content=archive.content)
        assert (restored.status_code, restored.json()["added"]) == (200, 2)
        mine, theirs = [(await each.get("/me/profile")).json() for each in (http, other)]
        assert theirs == mine
        assert await ids(other) == await ids(http)
        await import_(other, question(3))
        replaced = await other.post("/me/restore?replace=true", content=archive.content)
        assert (replaced.status_code, replaced.json()["added"]) == (200, 2)
        assert await ids(other) == await ids(http)
        refused = await other.post("/me/restore", content=archive.content[:99])
        assert (refused.status_code, "archive" in refused.json()["detail"]) == (422, True)


async def test_what_is_too_large_is_refused_while_it_comes(http: httpx.AsyncClient) -> None:
    long = [question(n, response="x" * 400_000) for n in range(1, LONGEST_IMPORT // 400_000 + 2)]
    refused = await http.post("/me/import", content=in_blocks(lines(*long)))
    assert (refused.status_code, "too long" in refused.json()["detail"]) == (413, True)
    await import_(http, question(1))
    for text, status in (("x" * BODY_BYTES, 413), ("x" * 32_001, 422)):
        word = {"signal": "edit", "text": text}
        refused = await http.put("/me/episodes/e1/feedback", json=word)
        assert (refused.status_code, [*refused.json()]) == (status, ["detail"])
    searched = await http.post("/me/episodes/search", json={"text": "x" * BODY_BYTES})
    assert (searched.status_code, "too long" in searched.json()["detail"]) == (413, True)
    assert [
        json.loads(each)["signal"] for each in (await http.get("/me/export")).text.splitlines()
    ] == [None]


async def in_blocks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 100_000):
        yield content[start : start + 100_000]


@pytest.mark.parametrize(
    ("path", "body", "status", "why"),
    [
        ("/me/episodes/e9/feedback", {"signal": "accept"}, 404, "no episode 'e9'"),
        ("/me/episodes/e1/feedback", {"signal": "edit"}, 422, "text: Field required"),
        ("/me/episodes/e1/feedback", {"signal": "edit", "text": " "}, 422, "wanted is empty"),
        ("/me/episodes/e1/feedback", {"signal": "edit", "text": "\u0007"}, 422, "U+0007"),
        ("/me/episodes/e1/feedback", {"signal": "like"}, 422, "signal"),
        ("/me/episodes/e1/feedback", {"signal": "accept", "user_id": "bob"}, 422, "user_id"),
        ("/me/episodes/%07/feedback", {"signal": "accept"}, 422, "U+0007"),
    ],
)
async def test_feedback_that_cannot_be_used_changes_nothing(
    path: str, body: Any, status: int, why: str, http: httpx.AsyncClient
) -> None:
    await import_(http, question(1))
    refused = await http.put(path, json=body)
    assert (refused.status_code, why in refused.json()["detail"]) == (status, True), refused.text
    assert (await http.get("/me/episodes/e1")).json()["signal"] is None


async def test_ids_may_hold_what_urls_must_quote(http: httpx.AsyncClient) -> None:
    await import_(http, question(1, id="chat/1 ?#é"), question(2, id="chat/1 ?#é/feedback"))
    place = "/me/episodes/chat%2F1%20%3F%23%C3%A9"
    assert (await http.get(place)).json()["id"] == "chat/1 ?#é"
    assert (await http.get(f"{place}/feedback")).json()["id"] == "chat/1 ?#é/feedback"
    accepted = await http.put(f"{place}/feedback", json={"signal": "accept"})
    assert (accepted.json()["id"], accepted.json()["ground_truth"]) == ("chat/1 ?#é", "Answer 1.")
    assert (await http.delete(place)).json()["episodes"] == ["chat/1 ?#é"]
    assert await ids(http) == ["chat/1 ?#é/feedback"]


async def test_a_persona_is_edited_locked_compared_and_rolled_back(http: httpx.AsyncClient) -> None:
    first = (await http.get("/me/persona")).json()
    rule = first["rules"][0]["id"]
    edit = {"add": ["Use metric units."], "replace": {rule: "Be brief."}, "version": 1}
    edited = (await http.post("/me/persona/edits", json=edit)).json()
    assert (edited["version"], edited["author"]) == (2, "user")
    assert [each["text"] for each in edited["rules"] if each["id"] == rule] == ["Be brief."]
    stale = await http.post("/me/persona/edits", json=edit)
    assert (stale.status_code, "at version 2" in stale.json()["detail"]) == (409, True)

    locked = (await http.put(f"/me/persona/rules/{rule}/lock")).json()
    assert [each["id"] for each in locked["rules"] if each["locked"]] == [rule]
    unlocked = (await http.delete(f"/me/persona/rules/{rule}/lock")).json()
    assert not any(each["locked"] for each in unlocked["rules"])

    diff = (await http.get("/me/persona/diff", params={"before": 1, "after": 4})).json()
    assert [each["text"] for each in diff["added"]] == ["Use metric units."]
    assert [each["after"]["text"] for each in diff["changed"]] == ["Be brief."]
    back = (await http.post("/me/persona/rollback", json={"version": 1})).json()
    assert (back["version"], back["rules"]) == (5, first["rules"])
    assert (await http.get("/me/persona/versions/2")).json() == edited

    pages = [(await http.get("/me/persona/versions", params={"limit": 3})).json()]
    pages.append(
        (await http.get("/me/persona/versions", params={"cursor": pages[0]["next"]})).json()
    )
    assert [[each["version"] for each in page["items"]] for page in pages] == [[5, 4, 3], [2, 1]]
    assert pages[1]["next"] is None


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "why"),
    [
        ("POST", "edits", {"remove": ["r99"]}, 404, "no rule 'r99'"),
        ("POST", "edits", {"add": ["  "]}, 422, "text of a rule is empty"),
        ("POST", "edits", {"add": ["x" * (RULE_CHARS + 1)]}, 422, "at most 1000"),
        ("POST", "rollback", {"version": 7}, 404, "no version 7"),
        ("PUT", "rules/r99/lock", None, 404, "no rule 'r99'"),
        ("GET", "versions/0", None, 422, "greater than or equal to 1"),
        ("GET", "versions?cursor=none", None, 422, "The cursor is none"),
        ("GET", "versions?limit=101", None, 422, "less than or equal to 100"),
        ("GET", "diff?before=1&after=9", None, 404, "no version 9"),
    ],
)
async def test_what_cannot_be_done_with_a_persona_is_one_sentence(
    method: str, path: str, body: Any, status: int, why: str, http: httpx.AsyncClient
) -> None:
    refused = await http.request(method, f"/me/persona/{path}", json=body)
    assert (refused.status_code, why in refused.json()["detail"]) == (status, True), refused.text
    assert (await http.get("/me/persona")).json()["version"] == 1


async def test_pages_neither_repeat_nor_skip_while_new_episodes_come(
    http: httpx.AsyncClient,
) -> None:
    await import_(http, *(question(n, task="odd" if n % 2 else "even") for n in range(1, 8)))
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await http.get(
            "/me/episodes", params={"limit": 3} | ({"cursor": cursor} if cursor else {})
        )
        seen += [each["id"] for each in page.json()["items"]]
        cursor = page.json()["next"]
        await import_(http, question(20 + len(seen)))
    assert seen == [f"e{n}" for n in range(7, 0, -1)]
    assert await ids(http, task="even") == ["e6", "e4", "e2"]
    forged = await http.get("/me/episodes", params={"cursor": "WyIyMDI2LTAxLTAxIiwgMV0="})
    assert (forged.status_code, "The cursor is none" in forged.json()["detail"]) == (422, True)


async def test_forgetting_an_episode_takes_along_where_it_was_told(
    http: httpx.AsyncClient, sdk: LangGraphClient
) -> None:
    told = await ask(sdk, "My dog is called Rex.")
    recalled = [
        await ask(sdk, "What is my dog called?", incognito=incognito) for incognito in (False, True)
    ]
    other = await sdk.threads.create()
    for turn in recalled:
        assert told["episode_id"] in [each["id"] for each in turn["recalled"]]
    receipt = (await http.delete(f"/me/episodes/{told['episode_id']}")).json()
    assert (receipt["episodes"], receipt["embeddings"]) == ([told["episode_id"]], 1)
    assert sorted(receipt["threads"]) == sorted(turn["thread_id"] for turn in [told, *recalled])
    for thread in receipt["threads"]:
        with pytest.raises(NotFoundError):
            await sdk.threads.get(thread)
    assert (await sdk.threads.get(other["thread_id"]))["status"] == "idle"
    assert (await http.get(f"/me/episodes/{told['episode_id']}")).status_code == 404
    found = await http.post("/me/episodes/search", json={"text": "My dog is called Rex."})
    assert told["episode_id"] not in [each["id"] for each in found.json()]


async def test_a_forgotten_statement_takes_along_the_threads_that_showed_it(
    http: httpx.AsyncClient, sdk: LangGraphClient
) -> None:
    [boat] = (await http.post("/me/profile/statements", json={"texts": ["Has a boat"]})).json()
    told = await ask(sdk, "Hello.")
    assert "Has a boat" in told["system_prompt"]
    receipt = (await http.delete(f"/me/profile/statements/{boat['id']}")).json()
    assert [each["text"] for each in receipt["statements"]] == ["Has a boat"]
    assert (await http.delete(f"/me/profile/statements/{boat['id']}")).status_code == 404
    history = (await http.get("/me/profile/history")).text
    assert "Has a boat" not in history
    with pytest.raises(NotFoundError):
        await sdk.threads.get(told["thread_id"])
