"""The memory server over HTTP, within this process."""

from pathlib import Path

import pytest
from langgraph.store.memory import InMemoryStore
from langgraph_sdk import get_client

from personaagent.core.errors import Unknown
from personaagent.core.settings import load_settings
from personaagent.memory.forget import Receipt
from personaagent.server.memory_server import MemoryResponse, _security, _together, serving_memory
from tests.support.memories import index_in_memory
from tests.support.scripted_model import scripted_dependencies

SECRET = "a secret of the tests, and of nobody else"
pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


async def test_without_the_package_there_is_none(tmp_path: Path) -> None:
    deps, _ = scripted_dependencies(load_settings(home=tmp_path), str, index_in_memory())
    memory = deps.memory.of(InMemoryStore(), "ana")
    async with get_client(url="http://nowhere") as api:
        with pytest.raises(Unknown, match="has no MCP"):
            MemoryResponse(memory, api)


async def test_it_serves_each_time_that_the_application_starts(tmp_path: Path) -> None:
    for _ in range(2):
        async with serving_memory(load_settings(home=tmp_path)):
            pass


def test_processes_with_one_secret_take_up_each_others_questions() -> None:
    first, second = (_security(load_settings(auth_secret=SECRET)).codec for _ in range(2))
    assert second.unseal(first.seal(b"forget e1?")) == b"forget e1?"
    other = _security(load_settings(auth_secret=f"{SECRET} indeed")).codec
    with pytest.raises(Exception, match=r"unknown|key|unauthentic"):
        other.unseal(first.seal(b"forget e1?"))


def test_a_key_is_not_the_secret_itself() -> None:
    from mcp.server.request_state import AESGCMRequestStateCodec

    sealed = AESGCMRequestStateCodec([SECRET.encode()]).seal(b"forget e1?")
    with pytest.raises(Exception, match=r"unknown|key|unauthentic"):
        _security(load_settings(auth_secret=SECRET)).codec.unseal(sealed)


def test_receipts_of_several_episodes_are_one() -> None:
    one = Receipt(
        episodes=["a"], embeddings=2, statements=[], rules=[], threads=["t"], simulations=0
    )
    both = _together(one, one.model_copy(update={"episodes": ["b"], "simulations": 1}))
    assert (both.episodes, both.embeddings, both.simulations) == (["a", "b"], 4, 1)
