"""Telling the operator's webhook that a persona has changed: real HTTP, signed, no word of the user's."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph.types import Command

from personaagent.core.alignment import Alignment
from personaagent.core.errors import ConfigurationError
from personaagent.core.settings import load_settings
from personaagent.core.users import user_key
from tests.support.alignment import PREFERENCES, Scripted, World, walks, world
from tests.support.langsmith_recorder import Received, Recorder, langsmith_recorder
from tests.support.server import free_port

pytestmark = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect"),
]

SECRET = "whsec_" + base64.b64encode(b"the key of the tests, 24+").decode()
PREFERENCE = next(iter(PREFERENCES))


@pytest.fixture
def receiver() -> Iterator[Recorder]:
    with langsmith_recorder() as recorder:
        yield recorder


async def aligned(folder: Path, url: str, count: int = 6, **settings: Any) -> Alignment:
    there = await learning(folder, url, count, **settings)
    return await there.align()


async def learning(folder: Path, url: str, count: int = 6, **settings: Any) -> World:
    there = world(folder, Scripted(), webhook_url=url, webhook_secret=SECRET, **settings)
    await there.remember(*walks(count, [PREFERENCE]))
    return there


def signature(message: Received, key: bytes) -> str:
    """As Standard Webhooks says that a receiver reckons it."""
    signed = b".".join(
        [
            message.headers["webhook-id"].encode(),
            message.headers["webhook-timestamp"].encode(),
            message.body,
        ]
    )
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


async def test_a_published_version_is_told_once_signed_and_without_a_word(
    tmp_path: Path, receiver: Recorder
) -> None:
    run = await aligned(tmp_path, f"{receiver.url}/hook")
    [message] = receiver.received
    assert (message.method, message.path) == ("POST", "/hook")
    assert message.headers["webhook-signature"] == signature(message, b"the key of the tests, 24+")
    told = json.loads(message.body)
    assert told["type"] == "persona.published"
    assert told["data"]["user"] == user_key("anna")
    assert (told["data"]["from_version"], told["data"]["to_version"]) == (1, run.to_version)
    assert message.headers["webhook-id"] == told["data"]["run"]
    assert set(told["data"]) == {"user", "from_version", "to_version", "author", "run"}
    for text in (b"anna", PREFERENCE.encode(), b"Tell me about", b"kilometres"):
        assert text not in receiver.said()


async def test_nothing_is_told_where_nothing_was_published(
    tmp_path: Path, receiver: Recorder
) -> None:
    assert (await aligned(tmp_path, receiver.url, count=2)).to_version == 1
    there = await learning(tmp_path / "asked", receiver.url, approval="ask")
    await there.run({"trigger": "test"})
    await there.run(Command(resume=False))
    assert receiver.received == []


async def test_the_users_own_edit_is_told_as_theirs(tmp_path: Path, receiver: Recorder) -> None:
    there = await learning(tmp_path, receiver.url, approval="ask")
    await there.run({"trigger": "test"})
    await there.run(Command(resume={"decision": "edit", "rules": [{"text": "Be brief."}]}))
    [message] = receiver.received
    assert json.loads(message.body)["data"]["author"] == "user"
    assert b"Be brief" not in message.body


async def test_it_is_told_again_until_it_is_heard_under_the_same_id(
    tmp_path: Path, receiver: Recorder
) -> None:
    receiver.refusals += [503, 429]
    assert (await aligned(tmp_path, receiver.url)).to_version == 2
    assert len(receiver.received) == 3
    assert len({message.headers["webhook-id"] for message in receiver.received}) == 1


@pytest.mark.parametrize("refused", [400, 401, 404, 410, 301])
async def test_what_is_refused_for_good_is_not_tried_again_and_costs_the_run_nothing(
    refused: int, tmp_path: Path, receiver: Recorder
) -> None:
    receiver.refusals += [refused]
    assert (await aligned(tmp_path, receiver.url)).to_version == 2
    assert len(receiver.received) == 1


async def test_nobody_there_costs_the_run_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"http://127.0.0.1:{free_port()}/hook"
    assert (await aligned(tmp_path, url)).to_version == 2
    assert "The webhook was not reached" in caplog.text


@pytest.mark.parametrize("secret", [None, "short", "whsec_this is no base64 at all!"])
def test_a_webhook_without_a_secret_to_sign_with_is_refused(secret: str | None) -> None:
    with pytest.raises(ConfigurationError, match="PERSONAAGENT_WEBHOOK_SECRET"):
        load_settings(webhook_url="https://example.org/hook", webhook_secret=secret)
