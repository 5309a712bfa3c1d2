"""vLLM for one worker of Ray: its server, on the GPU that Ray lends, as an endpoint on loopback."""

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from personaagent.core.errors import ConfigurationError
from personaagent.core.settings import Settings, load_settings

COMMAND = "vllm"
STARTING = 1_800.0
"""Seconds that the server may take to load, and to fetch, the model."""
ENDING = 60.0
BETWEEN_LOOKS = 0.5
ANSWERING = 10.0
"""Seconds that the server may take to say whether it is ready."""
UNTIL_INPUT_ENDS = """
exec 3<&0
"$@" 3<&- &
server=$!
{ cat <&3 >/dev/null; kill "$server"; } &
watch=$!
wait "$server"
kill "$watch"
"""
"""Runs a command that ends when its input does: when the process that started it ends in any way."""


def check_vllm() -> None:
    """Check that vLLM is installed.

    Raises:
        ConfigurationError: it is not.
    """
    if shutil.which(COMMAND) is None:
        raise ConfigurationError(
            "--vllm needs the command vllm, which is not on the PATH: "
            "pip install 'personaagent[vllm]', or leave out --vllm and set OPENAI_BASE_URL."
        )


@asynccontextmanager
async def vllm_settings(settings: Settings, model: str) -> AsyncIterator[Settings]:
    """The settings with which vLLM answers as ``model``, while the block runs.

    Raises:
        ConfigurationError: vLLM cannot serve the model here.
    """
    port, key = _free_port(), secrets.token_urlsafe(32)
    with TemporaryDirectory(prefix="vllm-") as folder:
        log = Path(folder) / "log"
        process = _start(model, port, key, log)
        try:
            await _until_ready(process, f"http://127.0.0.1:{port}/health", model, log)
            served = {"openai_base_url": f"http://127.0.0.1:{port}/v1", "openai_api_key": key}
            names = dict.fromkeys(("model", "critic_model", "editor_model"), model)
            yield load_settings(**settings.model_dump() | served | names)
        finally:
            await asyncio.to_thread(_end, process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ask the server to end, and after a while end it."""
    try:
        process.communicate(timeout=ENDING)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _start(model: str, port: int, key: str, log: Path) -> "subprocess.Popen[bytes]":
    server = [COMMAND, "serve", model, "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", UNTIL_INPUT_ENDS, "sh", *server],
            env=os.environ | {"VLLM_API_KEY": key, "VLLM_NO_USAGE_STATS": "1"},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C ends the worker first
        )


async def _until_ready(
    process: "subprocess.Popen[bytes]", health: str, model: str, log: Path
) -> None:
    try:
        async with asyncio.timeout(STARTING):
            while process.poll() is None:
                if await _is_ready(health):
                    return
                await asyncio.sleep(BETWEEN_LOOKS)
    except TimeoutError as error:
        raise ConfigurationError(f"vLLM has not served {model} within {STARTING:g} s.") from error
    raise ConfigurationError(f"vLLM cannot serve {model}: {_last_line(log)}")


async def _is_ready(health: str) -> bool:
    import aiohttp

    limit = aiohttp.ClientTimeout(total=ANSWERING)
    try:
        async with aiohttp.ClientSession(timeout=limit) as client, client.get(health) as response:
            return response.ok
    except (aiohttp.ClientError, TimeoutError):  # it does not listen or answer yet
        return False


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
