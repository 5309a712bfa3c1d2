"""A real Postgres in a folder of its own, for the tests that need one."""

import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.marks import need_mark
from tests.support.server import free_port

FAST = ("fsync=off", "full_page_writes=off")
"""For tests that kill what uses the database, never the machine under it."""


@cache
def postgres_folder() -> Path | None:
    """Where ``initdb`` and ``pg_ctl`` are; None where there is no Postgres."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((each for each in places if (each / "psql").exists()), None)


@contextmanager
def postgres(settings: tuple[str, ...] = FAST) -> Iterator[str]:
    """The address of a fresh Postgres on loopback that ends, with its data, where the block does.

    Postgres refuses to run as root: there it runs as the user ``postgres``.
    """
    need_mark("server")
    binaries = postgres_folder()
    assert binaries is not None, "no Postgres on this machine"
    port, password = free_port(), secrets.token_hex(16)
    with TemporaryDirectory(prefix="postgres-") as name:
        folder = Path(name)
        (folder / "password").write_text(password)
        user = _unprivileged(folder)

        def run(*command: str) -> None:
            subprocess.run(command, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)

        data = str(folder / "data")
        run(
            *(f"{binaries}/initdb", "--pgdata", data, "--username", "personaagent"),
            *("--pwfile", str(folder / "password"), "--auth", "scram-sha-256", "--no-sync"),
        )
        options = [f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={name}"]
        shown = " ".join(f"-c {each}" for each in (*options, *settings))
        log = str(folder / "log")
        run(f"{binaries}/pg_ctl", "-D", data, "-l", log, "-o", shown, "-w", "start")
        try:
            yield f"postgresql://personaagent:{password}@127.0.0.1:{port}/postgres"
        finally:
            run(f"{binaries}/pg_ctl", "-D", data, "-m", "immediate", "stop")


def _unprivileged(folder: Path) -> int | None:
    """Whom Postgres runs as, who is given the folder: None for whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    user = pwd.getpwnam("postgres").pw_uid
    for each in (folder, *folder.iterdir()):
        os.chown(each, user, -1)
    return user


def sql(database: str, statement: str) -> str:
    """What the statement gives: a line a row, its fields parted by ``|``."""
    done = subprocess.run(
        [*_psql(database), "-c", statement], check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout.strip()


class Session:
    """A session of its own with the database, in which locks can be held."""

    def __init__(self, database: str) -> None:
        self._process = subprocess.Popen(
            _psql(database), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, statement: str) -> None:
        """Do this, and wait until it is done."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{statement};\n\\echo done\n")
        self._process.stdin.flush()
        while (line := self._process.stdout.readline().strip()) != "done":
            assert self._process.poll() is None, line

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        """End the session, and with it every lock that it holds."""
        self._process.kill()
        self._process.communicate()


def _psql(database: str) -> list[str]:
    folder = postgres_folder()
    assert folder is not None
    return [f"{folder}/psql", database, "-qAt", "-v", "ON_ERROR_STOP=1"]
