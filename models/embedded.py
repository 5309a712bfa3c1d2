"""The embedded language model: one llama.cpp server a model file, started when first asked for."""

import asyncio
import atexit
import json
import os
import secrets
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from personaagent.core.errors import ConfigurationError, DataError
from personaagent.models.embedded_prefixes import delete, prefix_folder, state_files

GGUF = b"GGUF"


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible endpoint on loopback; ``base_url`` ends in ``/v1``.

    ``prefixes`` is the folder where it keeps what prompts begin with; None if it cannot.
    """

    base_url: str
    api_key: str = field(repr=False)
    prefixes: Path | None = None


@dataclass(frozen=True)
class _Server:
    process: subprocess.Popen[str]
    endpoint: Endpoint

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


_servers: dict[tuple[Path, int, int], _Server] = {}
_starting = threading.Lock()


async def serve(model_file: Path, *, context: int = 8192, threads: int = 0) -> Endpoint:
    """The endpoint of ``model_file`` (GGUF), its server started if none runs; shared and reused.

    The server ends with this process. ``context`` is in tokens; ``threads`` 0 means all cores that
    this process may use.

    Raises:
        DataError: the file is missing or is not a model.
        ConfigurationError: the engine cannot run here with these settings.
    """
    return await asyncio.to_thread(_serve, model_file, context, threads or usable_cores())


def usable_cores() -> int:
    """How many cores this process may use: of all, those that the system has not kept from it."""
    affinity = getattr(os, "sched_getaffinity", None)  # not every system has it
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def stop() -> None:
    """End all embedded servers of this process."""
    with _starting:
        while _servers:
            _servers.popitem()[1].close()


def _serve(model_file: Path, context: int, threads: int) -> Endpoint:
    key = (model_file.resolve(), context, threads)
    with _starting:
        if key in _servers and not _servers[key].alive:
            _servers.pop(key).close()
        if key not in _servers:
            _check(model_file)
            _servers[key] = _start(*key)
        return _servers[key].endpoint


def _check(model_file: Path) -> None:
    try:
        with model_file.open("rb") as file:
            is_model = file.read(len(GGUF)) == GGUF
    except OSError as error:
        raise DataError(
            f"The model file {model_file} cannot be read ({error.strerror}): "
            "run `personaagent model pull`."
        ) from error
    if not is_model:
        raise DataError(
            f"{model_file} is not a GGUF model: delete it and run `personaagent model pull`."
        )


def _start(model_file: Path, context: int, threads: int) -> _Server:
    process = _engine_process()
    key = secrets.token_urlsafe(32)
    prefixes = prefix_folder(model_file)
    states = state_files(prefixes) if prefixes else []
    options = {
        "model": str(model_file),
        "alias": model_file.stem,
        "context": context,
        "threads": threads,
        "key": key,
        "prefixes": str(prefixes) if prefixes else None,
        "states": [file.name for file in states],
    }
    answer = _tell(process, options)
    if "error" in answer:
        process.communicate()
        if states:  # whatever the reason: it has to start without them
            delete(states)
            return _start(model_file, context, threads)
        raise ConfigurationError(
            f"The embedded engine cannot load {model_file} with a context of {context} tokens "
            f"({answer['error'].rstrip('.')}): run `personaagent model pull` if the file may be "
            "damaged, lower PERSONAAGENT_EMBEDDED_CONTEXT if memory is short, or set "
            "OPENAI_BASE_URL."
        )
    return _Server(process, Endpoint(answer["address"] + "/v1", key, prefixes))


def _engine_process() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "personaagent.models.engine"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # so that Ctrl-C at the terminal does not reach the engine
    )


def _tell(process: subprocess.Popen[str], options: dict[str, object]) -> dict[str, str]:
    """Send the engine its options, and wait for its one line of answer."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(options) + "\n")
    process.stdin.flush()
    try:
        answer: dict[str, str] = json.loads(process.stdout.readline())
    except ValueError:  # nothing, or what a debugger writes of its end
        return {"error": "it ended at once"}
    return answer


atexit.register(stop)
