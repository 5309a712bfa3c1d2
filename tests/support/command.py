"""The command, run in this process: arguments and standard input in, texts and exit code out."""

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from personaagent.cli.dates import shown_zone
from personaagent.cli.main import main
from tests.support.endpoint import Endpoint, Responder, scripted_endpoint

OURS = ("PERSONAAGENT_", "OPENAI_", "QDRANT_")


@dataclass(frozen=True)
class Result:
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Standard output as the one JSON document that it must be."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Command:
    """``command("ask", "Hello", "--user", "ann")`` runs it."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str, stdin: bytes = b"", terminal: bool = False) -> Result:
        """``terminal``: somebody types ``stdin`` on one."""
        given = io.TextIOWrapper(io.BytesIO(stdin))
        self.monkeypatch.setattr(given, "isatty", lambda: terminal)
        self.monkeypatch.setattr(sys, "stdin", given)
        shown_zone.cache_clear()
        code = main(arguments)
        captured = self.capsys.readouterr()
        return Result(code, captured.out, captured.err)


@contextmanager
def command_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    home: Path,
    **variables: str,
) -> Iterator[Command]:
    """The command on the data folder ``home``, with these variables of ours and no others."""
    for name in [name for name in os.environ if name.startswith(OURS)]:
        monkeypatch.delenv(name)
    for name, value in {"PERSONAAGENT_HOME": str(home), **variables}.items():
        monkeypatch.setenv(name, value)
    before = os.umask(0o077)
    try:
        yield Command(monkeypatch, capsys)
    finally:
        os.umask(before)


@contextmanager
def scripted_command(
    script: Responder,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    home: Path,
    **variables: str,
) -> Iterator[tuple[Command, Endpoint]]:
    """The command whose models and embeddings are a scripted endpoint, asked once each time."""
    with scripted_endpoint(script) as endpoint:
        speaking = {
            "OPENAI_BASE_URL": endpoint.base_url,
            "PERSONAAGENT_MODEL": "scripted",
            "PERSONAAGENT_EMBEDDINGS": "openai:test",
            "PERSONAAGENT_MODEL_RETRIES": "0",
        }
        with command_line(monkeypatch, capsys, home, **(speaking | variables)) as command:
            yield command, endpoint
