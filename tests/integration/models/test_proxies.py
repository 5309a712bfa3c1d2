"""Proxies of the environment, over real sockets: who is reached through one, and who is not."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from langchain_core.messages import HumanMessage

from personaagent.core.errors import ConfigurationError, ModelUnavailable
from personaagent.core.settings import Settings
from personaagent.memory.index.open import open_index
from personaagent.models.chat import connect
from personaagent.models.endpoint_embeddings import EndpointEmbedder
from personaagent.models.invoke import invoke_model
from tests.support.command import scripted_command
from tests.support.endpoint import scripted_endpoint
from tests.support.qdrant_server import qdrant_server

UNUSABLE = ["socks5://proxy.example:1080", "ftp://proxy.example", "http://proxy.example:port"]
CHOICE = {
    "index": 0,
    "message": {"role": "assistant", "content": "By proxy."},
    "finish_reason": "stop",
}
ANSWER = json.dumps({"id": "1", "model": "m", "choices": [CHOICE]})


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personaagent.models.proxies.find_spec", lambda name: None)  # no socksio
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@asynccontextmanager
async def proxy(heard: list[str], status: str = "200 OK") -> AsyncIterator[str]:
    """The address of a proxy that answers everything itself; what it was asked goes to ``heard``."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append((await reader.readuntil(b"\r\n\r\n")).decode())
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(ANSWER)}"
        )
        writer.write(f"{head}\r\nConnection: close\r\n\r\n{ANSWER}".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def ask(base_url: str) -> str:
    model = connect("m", base_url, "k", timeout=5, retries=0)
    try:
        return (await invoke_model(model, [HumanMessage("Where?")], role="actor")).text
    finally:
        await model.root_async_client.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # how openai hands over the password
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_a_remote_model_is_asked_through_the_proxy(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    async with proxy(heard) as address:
        monkeypatch.setenv(variable, f"http://me:word@{address}")
        assert await ask("http://models.invalid/v1") == "By proxy."
    [request] = heard
    assert request.startswith("POST http://models.invalid/v1/chat/completions")
    assert "proxy-authorization: basic" in request.lower()


async def test_what_no_proxy_names_is_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    async with proxy(heard) as address:
        monkeypatch.setenv("ALL_PROXY", f"http://{address}")
        monkeypatch.setenv("NO_PROXY", ".invalid")
        with pytest.raises(ModelUnavailable, match="cannot be reached"):
            await ask("http://models.invalid/v1")
    assert not heard


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_wants_a_password_is_a_wrong_setting(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with proxy([], "407 Proxy Authentication Required") as address:
        monkeypatch.setenv("ALL_PROXY", f"http://{address}")
        with pytest.raises(ConfigurationError, match=r"ALL_PROXY wants a name and a password"):
            await ask(f"{scheme}://models.invalid/v1")


async def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(ModelUnavailable, match="through the proxy of HTTPS_PROXY"):
        await ask("https://models.invalid/v1")


@pytest.mark.parametrize("address", [*UNUSABLE, "http://127.0.0.1:9"])
async def test_a_model_on_this_machine_is_asked_directly_whatever_the_proxy(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", address)
    with scripted_endpoint(lambda body: "Here.") as endpoint:
        assert await ask(endpoint.base_url) == "Here."
        settings = Settings(openai_base_url=endpoint.base_url, model="m")
        embedder = EndpointEmbedder("e", settings)
        assert await embedder.embed(["Where?"])
        await embedder.aclose()


@pytest.mark.parametrize("address", UNUSABLE)
async def test_an_unusable_proxy_stops_only_what_goes_through_it(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY"):
        await ask("https://models.invalid/v1")
    with pytest.raises(ModelUnavailable):
        await ask("http://models.invalid/v1")


def test_the_command_ends_with_exit_code_3_where_the_proxy_would_be_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path
) -> None:
    home = tmp_path / "home"
    with scripted_command(
        lambda body: "Here.", monkeypatch, capsys, home, ALL_PROXY="socks5://proxy.example:1080"
    ) as (command, _):
        here = command("ask", "Where?", "-u", "ann", "--json")
        monkeypatch.setenv("OPENAI_BASE_URL", "https://models.invalid/v1")
        away = command("ask", "Where?", "-u", "ann", "--json")
    assert here.data["reply"] == "Here."
    assert away.code == 3
    assert "ALL_PROXY" in away.err
    assert away.err.count("\n") == 1


async def test_the_index_on_this_machine_is_reached_without_the_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://proxy.example:1080")
    with qdrant_server() as server:
        index = open_index(Settings(qdrant_url=server.url), "m")
        assert await index.count("ann") == 0
        await index.aclose()
    with pytest.raises(ConfigurationError, match="ALL_PROXY"):
        open_index(Settings(qdrant_url="https://qdrant.invalid"), "m")
