"""What is imported, and what is not, before the first token of an answer. Counted, never timed."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.endpoint import scripted_endpoint

IMPORTED = re.compile(r"^import time: +\d+ \| +\d+ \| +(\S+)$", re.MULTILINE)
MOST_MODULES = 1_900
"""1,791 when this was written, with those of Python; 2,377 before."""
NEVER_FOR_ASK = {
    "fastembed",
    "huggingface_hub",
    "langchain",
    "langchain_openai.decisions",
    "langchain_openai.llms",
    "langgraph.prebuilt.chat_agent_executor",
    "langgraph_sdk.client",
    "langsmith.types.run",
    "matplotlib",
    "mcp",
    "pandas",
    "openai.types.responses.response",
    "personaagent.eval",
    "personaagent.graphs.alignment",
    "personaagent.local.alignment",
    "personaagent.nodes.alignment.gate",
    "personaagent.server",
    "qdrant_client",
    "starlette",
    "xllamacpp",
}


def imported(command: list[str], **variables: str) -> set[str]:
    """Every module that this command of Python imports."""
    kept = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command],
        env=environment | variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return {*IMPORTED.findall(done.stderr)}


def test_ask_imports_what_a_turn_needs_and_nothing_else(tmp_path: Path) -> None:
    def answer(body: dict[str, Any]) -> str:
        assert body["messages"][-1]["content"] == "What is the capital of France?"
        return "Paris."

    script = str(Path(sys.executable).with_name("personaagent"))
    with scripted_endpoint(answer) as endpoint:
        modules = imported(
            [script, "ask", "What is the capital of France?", "--user", "ann"],
            PERSONAAGENT_HOME=str(tmp_path),
            PERSONAAGENT_EMBEDDINGS="openai:test",
            PERSONAAGENT_MODEL="scripted",
            OPENAI_BASE_URL=endpoint.base_url,
        )
    assert not modules & NEVER_FOR_ASK
    assert "personaagent.nodes.agent.react" in modules
    assert len(modules) <= MOST_MODULES


def test_the_commands_themselves_import_no_framework(tmp_path: Path) -> None:
    modules = imported(["-c", "import personaagent.cli.app"], PERSONAAGENT_HOME=str(tmp_path))
    assert "personaagent.cli.chat" in modules
    heavy = {"aiohttp", "langchain_core", "langgraph", "langsmith", "numpy", "openai"}
    assert not heavy & modules


def test_importing_the_public_class_imports_nothing_heavy() -> None:
    modules = imported(["-c", "from personaagent import PersonaAgent"])
    assert "personaagent.local.user_data" in modules
    heavy = {"asyncio", "langchain_core", "langgraph", "numpy", "openai", "pydantic", "rich"}
    assert not heavy & modules
