"""``personaagent serve``: the graphs on LangGraph's development server, offline and without a key."""

import asyncio
import errno
import os
import socket
import sys
from typing import Annotated

import typer

from personaagent.cli.output import print_notice
from personaagent.cli.pull_models import pull_needed
from personaagent.cli.server_config import LANGGRAPH_JSON, load_server_config
from personaagent.core.errors import DataError, UsageError
from personaagent.core.extras import check_installed
from personaagent.core.settings import Settings, load_settings, variable

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SILENT = {
    "LANGGRAPH_CLI_NO_ANALYTICS": "1",
    "LANGGRAPH_NO_VERSION_CHECK": "1",
    "LANGSMITH_TRACING": "false",
}
"""What keeps the server from speaking to anybody; each holds where it is not set otherwise."""
STRICT = {"LANGGRAPH_STRICT_MSGPACK": "true"}
"""Lets no checkpoint name code to be run; LangGraph looks at it when it is imported."""


def serve(
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = LOOPBACK[0],
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port.")] = 2024,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Runs at once, at most.")] = 10,
    browse: Annotated[bool, typer.Option("--open", help="Open Studio in the browser.")] = False,
    reload: Annotated[
        bool, typer.Option("--reload", help="Start anew when the code changes.")
    ] = False,
) -> None:
    """Serve the graphs and our routes on this machine, for Studio and any LangGraph client."""
    folder = load_server_config()
    if folder is None:
        raise DataError(
            f"There is no {LANGGRAPH_JSON} here: serve from the folder of a checkout of PersonaAgent."
        )
    settings = load_settings()
    _check(host, settings)
    _check_free(host, port)
    asyncio.run(_check_folder(settings))
    asyncio.run(pull_needed(settings, "all", embeddings=True))
    command = [
        *(sys.executable, "-m", "langgraph_cli", "dev", "--config", LANGGRAPH_JSON),
        *("--host", host, "--port", str(port), "--n-jobs-per-worker", str(jobs)),
        *([] if browse else ["--no-browser"]),
        *([] if reload else ["--no-reload"]),
    ]
    print_notice(f"Serving on http://{host}:{port}, {_who(settings)}; end it with Ctrl-C.")
    print_notice(_page(f"http://{host}:{port}/"))
    os.chdir(folder)
    os.execve(sys.executable, command, SILENT | STRICT | os.environ)  # noqa: S606


def _check(host: str, settings: Settings) -> None:
    check_installed("langgraph_api", "server", "`personaagent serve`")
    from personaagent.server.identity import Tokens

    if not Tokens(settings).required and host not in LOOPBACK:
        raise UsageError(
            f"Without tokens nobody but this machine may ask: set {variable('auth_secret')} or "
            f"{variable('auth_jwks_url')} to listen on {host}."
        )


async def _check_folder(settings: Settings) -> None:
    """LangGraph's server would show a traceback."""
    from personaagent.memory.data_folder import open_files

    async with open_files(settings.home):
        pass


def _check_free(host: str, port: int) -> None:
    """LangGraph's server would silently take another port than was asked for."""
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UsageError(
                f"The port {port} is taken by another program: choose another with --port."
            ) from error
        raise UsageError(
            f"Nothing can be served on {host}, port {port} ({error.strerror}): choose another "
            "--host or --port."
        ) from error


def _page(address: str) -> str:
    from personaagent.server.page import is_built

    if is_built():
        return f"The page: {address}"
    return "The page is not built: `make web` builds it, with Node 20 or newer."


def _who(settings: Settings) -> str:
    from personaagent.server.identity import Tokens

    if Tokens(settings).required:
        return "for users with a token (personaagent token mint)"
    return "for this machine only, where anybody may be any user"
