"""The embedded llama.cpp in a process of its own: ``python -m personaagent.models.engine``.

It reads one line of JSON (``start`` says of what) from its input, answers with one
(``address`` or ``error``), and ends when its input ends, that is, when the process that started it
ends in any way. The engine has a process of its own because within ours it crashes on Ctrl-C while
text is written, and hangs when the server is dropped meanwhile.
"""

import json
import os
import sys
from contextlib import suppress
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

RESTORE_SECONDS = 60
BATCH = 128
"""Tokens of a prompt that are read in one go. Whoever cancels a request waits for one; larger ones
read no faster on a CPU."""


def start(options: dict[str, Any]) -> Any:
    """The server, listening on a free loopback port, with its log off.

    Args:
        options: model, alias, context, threads, key; and prefixes, a folder, with states, the names
            of files in it that are brought into the cache of prompts.

    Raises:
        RuntimeError: llama.cpp refused the model or had no memory for it.
    """
    os.environ["OMP_WAIT_POLICY"] = "passive"  # read once, when the import below loads libgomp
    import xllamacpp

    llama: Any = xllamacpp  # its compiled part has no types
    params = llama.CommonParams()
    params.model.path = options["model"]
    params.model_alias = {options["alias"]}
    params.api_keys = [options["key"]]
    params.n_ctx = options["context"]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options["threads"]
    params.n_batch = params.n_ubatch = BATCH
    params.use_jinja = True
    params.cache_prompt = True
    params.cache_ram_mib = 256
    params.no_extra_bufts = True  # repacked weights: slower prompts here, and 0.6 GB more
    params.cors_origins = ""
    params.ui = params.endpoint_slots = False
    params.verbosity = -1
    if options["prefixes"]:
        params.slot_save_path = os.path.join(options["prefixes"], "")
    server = llama.Server(params)
    for name in options["states"]:
        _restore(name, server.listening_address, options)
    return server


def _restore(name: str, address: str, options: dict[str, Any]) -> None:
    """Bring a state into the cache of prompts. One that the engine refuses is deleted.

    The server moves there what its slot holds when the slot is asked something else.
    """
    try:
        _post(f"{address}/slots/0?action=restore", {"filename": name}, options["key"])
        _post(f"{address}/completion", {"prompt": ".", "n_predict": 1}, options["key"])
    except OSError:
        with suppress(OSError):
            os.unlink(os.path.join(options["prefixes"], name))


def _post(url: str, body: dict[str, Any], key: str) -> None:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = Request(url, json.dumps(body).encode(), headers)  # noqa: S310 - our own address
    with build_opener(ProxyHandler({})).open(request, timeout=RESTORE_SECONDS) as answer:
        answer.read()


def main() -> None:
    """Serve until the input ends."""
    os.umask(0o077)  # what it writes is for nobody else
    try:
        server = start(json.loads(sys.stdin.readline()))
        answer = {"address": server.listening_address}
    except (RuntimeError, ImportError, OSError) as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)  # noqa: T201
    if "address" in answer:
        sys.stdin.read()
    os._exit(0)  # no tear-down: llama.cpp's threads may be writing text


if __name__ == "__main__":
    main()
