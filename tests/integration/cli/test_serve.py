"""``personaagent serve`` and ``token mint``: one command, offline, without a key; and the image."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from personaagent.core.settings import Settings
from personaagent.server.identity import Tokens
from tests.support.command import Command, command_line
from tests.support.server import ROOT, SECRET, free_port

BIN = Path(sys.executable).parent


@pytest.fixture
def command(monkeypatch, capsys, tmp_path) -> Iterator[Command]:
    """The command, in a folder with the configuration of ours."""
    (tmp_path / "langgraph.json").write_text((ROOT / "langgraph.json").read_text("utf-8"), "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.execve", lambda *_: pytest.fail("it would serve"))
    with command_line(monkeypatch, capsys, tmp_path / "home") as command:
        yield command


def test_without_tokens_nobody_else_is_served(command: Command) -> None:
    result = command("serve", "--host", "0.0.0.0")
    assert result.code == 2
    assert "PERSONAAGENT_AUTH_SECRET" in result.err


def test_a_port_that_is_taken_is_named_before_anything_starts(
    command: Command, monkeypatch, tmp_path: Path
) -> None:
    started: list[str] = []
    monkeypatch.setattr("os.execve", lambda *_: started.append("server"))
    monkeypatch.setenv("PERSONAAGENT_EMBEDDINGS", "openai:test")
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("PERSONAAGENT_MODEL", "none")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = command("serve", "--port", str(port))
    assert (result.code, started) == (2, [])
    assert f"The port {port} is taken" in result.err
    assert "--port" in result.err
    assert "Serving on" not in result.err
    assert (command("serve", "--port", str(port)).code, started) == (0, ["server"])


def test_an_address_that_is_not_this_machines_is_named(command: Command, monkeypatch) -> None:
    monkeypatch.setenv("PERSONAAGENT_AUTH_SECRET", SECRET)
    result = command("serve", "--host", "192.0.2.1")
    assert result.code == 2
    assert "192.0.2.1" in result.err


def test_a_server_that_is_not_installed_is_named(command: Command, monkeypatch) -> None:
    monkeypatch.setattr("personaagent.core.extras.find_spec", lambda name: None)
    result = command("serve", "--port", str(free_port()))
    assert result.code == 3
    assert "langgraph_api" in result.err
    assert "[server]" in result.err


def test_where_there_is_nothing_to_serve_it_says_where(command: Command, monkeypatch) -> None:
    monkeypatch.setattr("personaagent.cli.serve.load_server_config", lambda: None)
    result = command("serve")
    assert result.code == 5
    assert "from the folder of a checkout" in result.err


async def test_a_minted_token_is_the_users(command: Command, monkeypatch) -> None:
    monkeypatch.setenv("PERSONAAGENT_AUTH_SECRET", SECRET)
    tokens = Tokens(Settings(auth_secret=SECRET))
    minted = command("token", "mint", "--user", "mina")
    assert (minted.code, minted.err) == (0, "")
    assert await tokens.user(minted.out.strip()) == "mina"
    as_json = command("token", "mint", "--user", "mina", "--hours", "2", "--json").data
    assert await tokens.user(as_json["token"]) == as_json["user"] == "mina"


async def test_what_stands_in_the_file_of_variables_wins(
    command: Command, monkeypatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PERSONAAGENT_AUTH_SECRET", "a secret that is not the server's any more")
    with (tmp_path / ".env").open("w") as file:
        file.write(f'PERSONAAGENT_AUTH_SECRET="{SECRET}"\n')
    minted = command("token", "mint", "--user", "mina")
    assert await Tokens(Settings(auth_secret=SECRET)).user(minted.out.strip()) == "mina"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--user", ""], 2), (["--user", "mina", "--hours", "0"], 2), (["--user", "mina"], 3)],
)
def test_no_token_is_minted_that_nobody_would_believe(
    command: Command, arguments: list[str], code: int
) -> None:
    result = command("token", "mint", *arguments)
    assert (result.code, result.out) == (code, "")


def test_a_data_folder_that_cannot_be_used_is_named_before_anything_starts(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "home").write_text("a file, and no folder")
    result = command("serve", "--port", str(free_port()))
    assert result.code == 5
    assert "The data folder" in result.err
    assert "Traceback" not in result.err
