"""``personaagent serve`` and ``token mint``: one command, offline, without a key; and the image."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from personaagent.cli.serve import SILENT
from personaagent.core.settings import Settings, load_settings
from personaagent.server.identity import Tokens
from tests.support.command import Command, command_line
from tests.support.server import ROOT, SECRET, Server, answers_from_memory, running_server

pytestmark = pytest.mark.integration
BIN = Path(sys.executable).parent


@pytest.fixture
def command(monkeypatch, capsys, tmp_path) -> Iterator[Command]:
    """The command, in a folder with the configuration of ours."""
    (tmp_path / "langgraph.json").write_text((ROOT / "langgraph.json").read_text("utf-8"), "utf-8")
    monkeypatch.chdir(tmp_path)
    with command_line(monkeypatch, capsys, tmp_path / "home") as command:
        yield command


def langgraph(*arguments: str) -> str:
    """What LangGraph's command says; it must not fail."""
    done = subprocess.run(
        [BIN / "langgraph", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_configuration_has_no_unknown_key() -> None:
    said = langgraph("validate")
    assert "Unknown key" not in said
    assert "2 graphs" in said


def test_an_image_is_made_of_the_configuration_alone(tmp_path: Path) -> None:
    langgraph("dockerfile", str(tmp_path / "Dockerfile"))
    lines = (tmp_path / "Dockerfile").read_text("utf-8").splitlines()
    assert lines[0] == "FROM langchain/langgraph-api:3.12"
    assert f"ADD . /deps/{ROOT.name}" in lines
    assert f"WORKDIR /deps/{ROOT.name}" in lines
    given = dict(
        line.removeprefix("ENV ").split("=", 1) for line in lines if line.startswith("ENV ")
    )
    configured = json.loads((ROOT / "langgraph.json").read_text("utf-8"))
    assert {name: json.loads(value.strip("'")) for name, value in given.items()} == {
        "LANGSERVE_GRAPHS": configured["graphs"],
        "LANGGRAPH_AUTH": configured["auth"],
        "LANGGRAPH_HTTP": configured["http"],
        "LANGGRAPH_STORE": configured["store"],
        "LANGGRAPH_CHECKPOINTER": configured["checkpointer"],
        "LANGGRAPH_WEBHOOKS": configured["webhooks"],
    }
    left_out = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert {".env", ".git", ".venv", ".langgraph_api"} <= set(left_out)


def one_command(port: int) -> list[str]:
    return [str(BIN / "personaagent"), "serve", "--port", str(port)]


def asked(server: Server) -> dict[str, Any]:
    """What comes of a question of Sam's."""
    question = {"messages": [{"role": "user", "content": "What is my dog called?"}]}
    answer = httpx.post(
        f"{server.url}/runs/wait",
        json={"assistant_id": "agent", "input": question},
        headers=server.headers("sam"),
        timeout=300,
    )
    turn: dict[str, Any] = answer.json()
    return turn


def test_one_command_serves(tmp_path: Path) -> None:
    with running_server(
        tmp_path, answers_from_memory, secret=None, command=one_command, **dict.fromkeys(SILENT)
    ) as server:
        turn = asked(server)
        told = psutil.Process(server.process.pid).environ()
    assert turn["messages"][-1]["content"] == "I do not know."
    assert {name: told.get(name) for name in SILENT} == SILENT
    assert f"Serving on {server.url}, for this machine only" in server.log
    assert "Traceback" not in server.log
    assert (tmp_path / ".langgraph_api").stat().st_mode & 0o077 == 0, "its owner alone reads it"


@pytest.mark.live
def test_it_answers_without_any_key(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(0o700)
    models = load_settings().home / "models"
    models.mkdir(parents=True, exist_ok=True)
    (home / "models").symlink_to(models)
    without = ("OPENAI_BASE_URL", "OPENAI_API_KEY", "PERSONAAGENT_MODEL", "PERSONAAGENT_EMBEDDINGS")
    with running_server(
        tmp_path, answers_from_memory, secret=None, command=one_command, **dict.fromkeys(without)
    ) as server:
        turn = asked(server)
    assert turn["messages"][-1]["content"], turn
    assert turn["warnings"] == []
    assert server.endpoint.requests == []


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
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = command("serve")
    assert result.code == 3
    assert "in a checkout of PersonaAgent run pip install -e '.[server]'" in result.err


def test_where_there_is_nothing_to_serve_it_says_where(command: Command, monkeypatch) -> None:
    monkeypatch.setattr("personaagent.cli.serve.configured_folder", lambda: None)
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
