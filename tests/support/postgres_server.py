"""The production server (``deploy/serve.py``) for ``running_server``, where this machine can run it."""

import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.postgres import postgres_folder
from tests.support.server import ROOT

PYTHON = ROOT / "build" / "postgres" / "bin" / "python"


def on_postgres(database: str, **environment: str) -> dict[str, Any]:
    """What ``running_server`` is given to keep everything in the database at that address."""
    return {
        "command": _production,
        "ready": "/ready",
        "DATABASE_URL": database,
        "LOG_LEVEL": "WARNING",
        **environment,
    }


def need_postgres() -> None:
    """Skip the test where there is no Postgres or no Python 3.12; else have its environment made."""
    if postgres_folder() is None:
        pytest.skip("there is no Postgres on this machine (initdb)")
    if not (shutil.which("python3.12") or list(Path.home().glob(".pyenv/versions/3.12*"))):
        pytest.skip("there is no Python 3.12 on this machine, which aegra-api needs")
    _make_environment()


@cache
def _make_environment() -> None:
    subprocess.run(["make", "--silent", "postgres"], cwd=ROOT, check=True)


def _production(port: int) -> Sequence[str | Path]:
    return ["env", "HOST=127.0.0.1", f"PORT={port}", PYTHON, ROOT / "deploy" / "serve.py"]
