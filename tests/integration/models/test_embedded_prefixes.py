"""What all prompts begin with is read once by the engine, and kept for its later starts."""

import asyncio
import os
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
)

from personaagent.models.chat import connect
from personaagent.models.embedded import serve, stop
from personaagent.models.embedded_model import EmbeddedModel
from personaagent.models.embedded_prefixes import MOST, is_kept, keep, new_file, state_files
from personaagent.models.endpoint_model import EndpointModel
from personaagent.models.stable_prefix import with_mark
from personaagent.models.usage import usage_of
from tests.support.tiny_model import write_tiny_model

RULES = "Answer in one sentence. Never invent what you do not know. " * 4
LATER = "Choose a tool, or none of them; what you choose has to be named. " * 4


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "tiny.gguf")


async def started(model_file: Path) -> EmbeddedModel:
    endpoint = await serve(model_file, context=4096, threads=1)
    make = partial(EmbeddedModel, prefixes=endpoint.prefixes)
    model = connect("m", endpoint.base_url, endpoint.api_key, timeout=60, retries=0, make=make)
    assert isinstance(model, EmbeddedModel)
    return model


async def ended(model: EmbeddedModel) -> None:
    await model.root_async_client.close()
    await asyncio.to_thread(stop)


@pytest.fixture(autouse=True)
async def no_engine_is_left() -> AsyncIterator[None]:
    yield
    await asyncio.to_thread(stop)


def prompt(question: str, rules: str = RULES, memory: str = "") -> list[BaseMessage]:
    system = with_mark(SystemMessage(rules + memory), len(rules))
    return [system, HumanMessage(question)]


async def ask(model: EmbeddedModel, messages: list[BaseMessage]) -> AIMessage:
    answer = await model.ainvoke(messages, max_tokens=2)
    assert isinstance(answer, AIMessage)
    return answer


async def read_anew(model: EmbeddedModel, messages: list[BaseMessage]) -> int:
    used = usage_of(await ask(model, messages))
    assert used.input_tokens > len(messages[0].text)
    return used.input_tokens - used.cached_input_tokens


async def test_a_later_start_begins_after_what_all_prompts_share(model_file: Path) -> None:
    model = await started(model_file)
    first = await read_anew(model, prompt("Where is the key?", memory="The key is in the teapot."))
    choice = await read_anew(model, prompt("Which tool?", LATER))
    await ended(model)
    assert first > len(RULES)  # it is counted, although a request of its own has read it
    assert choice > len(LATER)

    model = await started(model_file)
    later = await read_anew(model, prompt("Who is Ida?", memory="Ida is six."))
    chosen = await read_anew(model, prompt("Which tool now?", LATER))
    await ended(model)
    assert later < 100
    assert chosen < 100


async def test_answers_are_the_same_with_what_was_kept(model_file: Path) -> None:
    asked = prompt("Where is the key?", memory="The key is in the teapot.")

    async def answered() -> AIMessageChunk:
        model = await started(model_file)
        whole = AIMessageChunk(content="")
        async for chunk in model.astream(asked, max_tokens=8, logprobs=True):
            whole += chunk  # type: ignore[assignment]
        await ended(model)
        return whole

    first, second = await answered(), await answered()
    assert usage_of(second).cached_input_tokens > usage_of(first).cached_input_tokens
    assert first.text == second.text
    assert first.text


async def test_nothing_of_a_user_is_kept(model_file: Path) -> None:
    """The state holds the keys and values of so many tokens: those of the shared text."""
    model = await started(model_file)
    await ask(model, prompt("Where is the key?", memory="The key is in the teapot. " * 40))
    await ask(model, prompt("And the boat?", memory="The boat lies at the mill. " * 40))
    folder = model.prefixes
    await ended(model)
    assert folder is not None
    [kept] = folder.iterdir()
    size_of_one = 2 * 2 * 16 * 1 + 40  # keys and values, float16, one head; and where it stands
    assert kept.stat().st_size < (len(RULES) + 100) * size_of_one
    assert (folder.stat().st_mode | kept.stat().st_mode) & 0o077 == 0


async def test_no_state_is_kept_that_another_program_has_asked_into(
    model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = EmbeddedModel._save_state

    async def ask_before(model: EmbeddedModel, *args: Any) -> None:
        await EndpointModel._agenerate(model, [HumanMessage("My secret is here.")], max_tokens=1)
        await save(model, *args)

    monkeypatch.setattr(EmbeddedModel, "_save_state", ask_before)
    model = await started(model_file)
    await ask(model, prompt("Where is the key?"))
    folder = model.prefixes
    await ended(model)
    assert folder is not None
    assert [*folder.iterdir()] == []


def test_no_more_than_a_few_states_are_ever_kept(tmp_path: Path) -> None:
    for number in range(MOST + 3):
        (file := new_file(tmp_path)).write_text(f"state {number}")
        os.utime(file, (number, number))
        keep(file, f"kind{number}")
    assert [file.read_text()[-1] for file in state_files(tmp_path)] == ["3", "4", "5", "6"]
    assert len([*tmp_path.iterdir()]) == MOST


def test_of_two_states_of_a_kind_the_later_stays(tmp_path: Path) -> None:
    for text in ("of one process", "of another"):
        (file := new_file(tmp_path)).write_text(text)
        keep(file, "kind")
    [file] = tmp_path.iterdir()
    assert file.read_text() == "of another"
    assert is_kept(tmp_path, "kind")


def test_what_a_killed_process_left_is_deleted(tmp_path: Path) -> None:
    left, being_written = new_file(tmp_path), new_file(tmp_path)
    left.touch()
    being_written.touch()
    os.utime(left, (0, 0))
    assert state_files(tmp_path) == []
    assert [*tmp_path.iterdir()] == [being_written]


async def kept_by(model_file: Path) -> Path:
    model = await started(model_file)
    await ask(model, prompt("Where is the key?"))
    assert model.prefixes is not None
    [kept] = model.prefixes.iterdir()
    await ended(model)
    return kept


async def test_a_damaged_state_is_read_anew_and_made_again(model_file: Path) -> None:
    kept = await kept_by(model_file)
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2])

    model = await started(model_file)
    assert await read_anew(model, prompt("Where is the key?")) > len(RULES)
    await ended(model)
    assert [file.stat().st_size for file in kept.parent.iterdir()] == [len(whole)]


async def test_a_state_that_ends_the_engine_does_not_keep_it_from_starting(
    model_file: Path,
) -> None:
    """Cut, but with the hash that it should have."""
    kept = await kept_by(model_file)
    kept.write_bytes(kept.read_bytes()[:5000])
    keep(kept, "cut")

    model = await started(model_file)
    assert await read_anew(model, prompt("Where is the key?")) > len(RULES)
    await ended(model)


async def test_the_state_of_another_model_is_deleted(model_file: Path) -> None:
    model = await started(model_file)
    await ask(model, prompt("Where is the key?"))
    old = model.prefixes
    await ended(model)
    write_tiny_model(model_file, seed=1)

    model = await started(model_file)
    assert await read_anew(model, prompt("Where is the key?")) > len(RULES)
    new = model.prefixes
    await ended(model)
    assert old is not None
    assert new is not None
    assert not old.exists()
    assert len([*new.iterdir()]) == 1
