"""What a command needs is fetched before it begins, and nothing is loaded that it does not need."""

import json
import subprocess
import sys

import pytest

from personaagent.cli import agent_runner, pull_models
from personaagent.core.errors import DataError
from personaagent.models.catalog import CHAT, EMBEDDINGS, MODELS, Model, ModelFile
from personaagent.models.sources import Text
from tests.support.command import Command, command_line

TEXT = "weights"
TINY = Model(
    "tiny",
    "MIT",
    (
        ModelFile(
            "tiny.gguf",
            7,
            "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c",
            (Text(TEXT),),
        ),
    ),
)


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    with command_line(monkeypatch, capsys, tmp_path) as command:
        yield command


@pytest.fixture
def pulled(monkeypatch):
    names: list[str] = []

    async def note(name, settings):
        names.append(name)

    monkeypatch.setattr(pull_models, "pull_missing", note)
    return names


async def nothing(agent) -> str:
    return "done"


@pytest.mark.parametrize(
    ("variables", "role", "embeddings", "names"),
    [
        ({}, "actor", True, [CHAT, EMBEDDINGS]),
        ({}, None, False, []),
        ({}, None, True, [EMBEDDINGS]),
        (
            {"PERSONAAGENT_CRITIC_MODEL": "qwen2.5-coder-0.5b"},
            "critic",
            False,
            ["qwen2.5-coder-0.5b"],
        ),
        ({"OPENAI_API_KEY": "k"}, "actor", True, [EMBEDDINGS]),
        ({"OPENAI_API_KEY": "k", "PERSONAAGENT_EMBEDDINGS": "openai:e"}, "actor", True, []),
    ],
)
def test_only_what_is_needed_is_pulled(
    variables, role, embeddings, names, command, pulled, monkeypatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert agent_runner.run_with_agent(nothing, role=role, embeddings=embeddings) == "done"
    assert pulled == names


def test_a_model_is_pulled_once_and_that_is_said(command: Command, monkeypatch, tmp_path) -> None:
    monkeypatch.setitem(MODELS, "tiny", TINY)
    first = command("model", "pull", "tiny", "--json")
    assert "Fetching the model tiny (0 MB, MIT)" in first.err
    [model] = first.data
    assert model["present"]
    assert (tmp_path / "models" / "tiny" / "tiny.gguf").read_text() == TEXT
    assert command("model", "pull", "tiny").err == "The model tiny is here already.\n"


def test_a_model_that_is_not_what_it_should_be_is_exit_code_4(command, monkeypatch) -> None:
    [file] = TINY.files
    monkeypatch.setitem(
        MODELS, "tiny", Model("tiny", "MIT", (ModelFile(file.name, 7, "0" * 64, file.sources),))
    )
    result = command("model", "pull", "tiny", "--json")
    assert (result.code, result.out) == (4, "")
    assert "has not the SHA-256" in result.err


def test_what_only_reads_the_store_loads_no_model(command: Command, tmp_path) -> None:
    code = (
        "import json, sys; from personaagent.cli.main import main;"
        "code = main(['persona', 'show', '--user', 'ann']);"
        "print(json.dumps([code, *sorted(sys.modules)]))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    exit_code, *modules = json.loads(shown.stdout)
    assert exit_code == DataError.exit_code
    heavy = {"langchain_openai", "openai", "onnxruntime", "tokenizers", "xllamacpp"}
    assert not heavy & set(modules)


def test_an_unknown_embedded_model_tells_of_endpoints_too(command: Command, monkeypatch) -> None:
    monkeypatch.setenv("PERSONAAGENT_MODEL", "gpt-4.1-mini")
    result = command("ask", "hi", "-u", "ann")
    assert (result.code, result.out) == (3, "")
    assert "no embedded model 'gpt-4.1-mini'" in result.err
    assert CHAT in result.err
    assert "set OPENAI_API_KEY or OPENAI_BASE_URL" in result.err
    assert "OPENAI" not in command("model", "pull", "gpt-4.1-mini").err
