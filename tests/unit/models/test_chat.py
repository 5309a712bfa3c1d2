"""Which model plays which role, and what is refused before anything is sent."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from langchain_openai import ChatOpenAI

from personaagent.core.errors import ConfigurationError
from personaagent.core.settings import Settings, load_settings
from personaagent.models import download, embedded
from personaagent.models.catalog import CHAT
from personaagent.models.chat import Models
from personaagent.models.embedded import Endpoint
from personaagent.models.structured_tools import StructuredToolsModel


def settings(**overrides: object) -> Settings:
    return Settings.model_validate({"openai_api_key": "sk-secret", **overrides})


async def chat(role: str, **overrides: object) -> ChatOpenAI:
    model = await Models(settings(**overrides)).chat(role)  # type: ignore[arg-type]
    assert isinstance(model, ChatOpenAI)
    return model


async def test_each_role_has_its_model_and_roles_of_one_model_share_it() -> None:
    models = Models(settings(model="small", editor_model="large"))
    actor, critic, editor = [await models.chat(role) for role in ("actor", "critic", "editor")]
    assert actor is critic
    assert isinstance(actor, ChatOpenAI)
    assert isinstance(editor, ChatOpenAI)
    assert (actor.model_name, editor.model_name) == ("small", "large")
    await models.aclose()


async def test_the_settings_reach_the_client() -> None:
    model = await chat("actor", model_timeout=7, model_retries=4, model="m")
    timeout = model.root_async_client.timeout
    assert (timeout.connect, timeout.read) == (7, 7)
    assert model.root_async_client.max_retries == 4
    assert (model.temperature, model.use_responses_api, model.stream_usage) == (0, False, True)
    assert (await chat("actor", model_timeout=60)).root_async_client.timeout.connect == 10


async def test_openai_proper_needs_no_name_but_another_endpoint_does() -> None:
    assert (await chat("actor")).model_name == "gpt-4.1-mini"
    with pytest.raises(ConfigurationError, match="PERSONAAGENT_MODEL"):
        await chat("actor", openai_base_url="http://localhost:1/v1")


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host/v1", "http://", "http://h:port"])
async def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="OPENAI_BASE_URL"):
        await chat("actor", openai_base_url=url, model="m")


@pytest.mark.parametrize("key", [" ", "sk-кey", "sk-a\nb"])
async def test_a_key_that_cannot_be_sent_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY") as caught:
        await chat("actor", openai_api_key=key)
    assert key not in str(caught.value).split()


def test_the_description_holds_no_credentials() -> None:
    models = Models(settings(openai_base_url="https://me:pass@models.example/v1?k=1", model="m"))
    assert models.describe("critic") == "m at models.example"


def test_nothing_heavy_is_imported_before_a_model_is_asked_for() -> None:
    code = (
        "import sys; from personaagent.core.settings import Settings;"
        "from personaagent.models.chat import Models; Models(Settings());"
        "print([m for m in ('openai', 'langchain_openai', 'xllamacpp') if m in sys.modules])"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "[]"


async def test_json_mode_wraps_the_model_and_native_mode_does_not() -> None:
    wrapped = await Models(settings(tool_mode="json")).chat("actor")
    assert isinstance(wrapped, StructuredToolsModel)
    assert isinstance(wrapped.model, ChatOpenAI)
    await chat("actor", tool_mode="native")


async def test_without_key_and_address_the_embedded_model_is_fetched_and_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[str, int, int]] = []
    ports = iter([1, 1, 2])

    async def ensure(name: str, home: Path, progress: Callable[[int, int], None]) -> Path:
        progress(3, 9)
        return home / name

    async def serve(model_file: Path, *, context: int, threads: int) -> Endpoint:
        assert model_file.parent == tmp_path / CHAT
        assert (model_file.suffix, context, threads) == (".gguf", 4096, 3)
        return Endpoint(f"http://127.0.0.1:{next(ports)}/v1", "its-key")

    monkeypatch.setattr(download, "ensure", ensure)
    monkeypatch.setattr(embedded, "serve", serve)
    own = load_settings(
        home=tmp_path, embedded_context=4096, embedded_threads=3, embedded_timeout=44
    )
    models = Models(own, lambda *news: heard.append(news))
    assert models.describe("critic") == f"{CHAT} (embedded)"

    first, same, restarted = [await models.chat("actor") for _ in range(3)]
    assert isinstance(first, StructuredToolsModel)
    assert isinstance(same, StructuredToolsModel)
    assert isinstance(restarted, StructuredToolsModel)
    assert isinstance(first.model, ChatOpenAI)
    assert isinstance(restarted.model, ChatOpenAI)
    assert heard[0] == (CHAT, 3, 9)
    assert first.model is same.model
    assert first.model.root_async_client.timeout.read == 44
    assert first.model.root_async_client.api_key == "its-key"
    assert restarted.model.openai_api_base == "http://127.0.0.1:2/v1"
