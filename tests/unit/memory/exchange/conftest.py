"""An agent over real SQLite and the embedded index, and a file to import."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from personaagent.local.agent import LocalAgent
from tests.support.imports import opened


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[LocalAgent]:
    async with opened(tmp_path / "home") as agent:
        yield agent


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "given.jsonl"
