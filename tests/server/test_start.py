"""What is wrong about the services of the Postgres server ends its start, in one sentence."""

import os
import subprocess
import sys

import pytest

from personaagent.core.errors import ConfigurationError
from tests.support.postgres_server import PYTHON, need_postgres
from tests.support.server import ROOT, SECRET, free_port

PASSWORD = "keep-this-secret"
UNREACHABLE = {
    "nobody there": {"DATABASE_URL": f"postgresql://user:{PASSWORD}@127.0.0.1:{{port}}/name"},
    "no such host": {"DATABASE_URL": f"postgresql://user:{PASSWORD}@host.invalid/name"},
    "another database": {"DATABASE_URL": f"mysql://user:{PASSWORD}@127.0.0.1/name"},
    "no address": {"DATABASE_URL": f"postgres:/user:{PASSWORD}@127.0.0.1/name"},
    "no port": {"DATABASE_URL": f"postgresql://user:{PASSWORD}@127.0.0.1:port/name"},
    "keys": {"DATABASE_URL": f"host=127.0.0.1 password={PASSWORD} dbname=name"},
    "no number": {"POSTGRES_HOST": "127.0.0.1", "POSTGRES_PORT": "abc"},
    "no truth": {"REDIS_BROKER_ENABLED": "perhaps"},
}


@pytest.mark.parametrize("service", UNREACHABLE)
def test_a_wrong_address_is_one_sentence(service: str) -> None:
    need_postgres()
    port = str(free_port())
    variables = {
        name: value.replace("{port}", port) for name, value in UNREACHABLE[service].items()
    }
    done = subprocess.run(
        [PYTHON, ROOT / "deploy" / "serve.py"],
        env={
            **{name: os.environ[name] for name in ("PATH", "HOME")},
            "PERSONAAGENT_AUTH_SECRET": SECRET,
            "LOG_LEVEL": "ERROR",
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    sys.stderr.write(done.stderr)
    assert done.returncode == ConfigurationError.exit_code
    assert len(done.stderr.splitlines()) == 1
    assert PASSWORD not in done.stdout + done.stderr
