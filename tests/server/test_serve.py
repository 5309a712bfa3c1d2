"""``personaagent serve`` as a user starts it, and the image that LangGraph's command makes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from personaagent.cli.serve import SILENT
from personaagent.core.settings import load_settings
from personaagent.server.page import is_built
from tests.support.server import ROOT, Server, answers_from_memory, running_server

BIN = Path(sys.executable).parent


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
    page = f"The page: {server.url}/" if is_built() else "The page is not built: `make web`"
    assert page in server.log
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
