"""Which model plays which role, and what is refused before anything is sent."""

import subprocess
import sys

import pytest
from langchain_openai import ChatOpenAI

from personaagent.core.errors import ConfigurationError
from personaagent.core.settings import Settings
from personaagent.models.chat import Models


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
