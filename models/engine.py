"""The embedded llama.cpp in a process of its own: ``python -m personaagent.models.engine``.

It reads one line of JSON (model, alias, context, threads, key) from its input, answers with one
(``address`` or ``error``), and ends when its input ends, that is, when the process that started it
ends in any way. The engine has a process of its own because within ours it crashes on Ctrl-C while
text is written, and hangs when the server is dropped meanwhile.
"""

import json
import os
import sys
from typing import Any

BATCH = 128
"""Tokens of a prompt that are read in one go. Whoever cancels a request waits for one; larger ones
read no faster on a CPU."""


def start(options: dict[str, Any]) -> Any:
    """The server, listening on a free loopback port, with its log off.

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
    return llama.Server(params)


def main() -> None:
    """Serve until the input ends."""
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
