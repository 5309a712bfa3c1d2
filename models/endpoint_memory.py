"""What each endpoint and model has refused, and is not sent again."""

import asyncio
import json
import logging
import os
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import urlsplit

from pydantic import TypeAdapter

from personaagent.core.files import make_private
from personaagent.core.records import now
from personaagent.models import refusals

FILE = "endpoints.json"
"""In the data folder, so that the next command knows it as well."""

KEPT = timedelta(days=30)
"""After so long the endpoint is asked again: it may have learned it meanwhile."""

NOTICES = {
    refusals.BEGINNING: "{model} does not mark where its reasoning begins: from now on its answers are "
    "shown when that has ended.",
    refusals.JSON_SCHEMA: "{model} takes no JSON schema: from now on it is asked for JSON otherwise.",
    refusals.JSON_OBJECT: "{model} takes no form of an answer: from now on JSON is asked for in words.",
    refusals.TOOLS: "{model} cannot call tools: from now on it chooses them in JSON.",
    refusals.STREAM: "{model} cannot stream: from now on its answers come whole.",
    refusals.WHOLE: "{model} only streams: from now on every answer is asked for as a stream.",
    refusals.SYSTEM: "{model} takes no system messages: from now on they begin the user's first one.",
    refusals.RENAMED: "{model} takes max_tokens in place of max_completion_tokens.",
    refusals.FEWER_LOGPROBS: "{model} shows 5 log-probabilities a token at most.",
}
ALSO_SAYS = {refusals.LOGPROBS: refusals.FEWER_LOGPROBS, "max_tokens": refusals.RENAMED}
"""Of these notices the first says the second too."""
NOTICE = "{model} takes no {part}: from now on requests leave it out."


Known = dict[str, dict[str, str]]
"""For each model at its address the parts it refused, and on which day."""


class EndpointMemory:
    """What is left out of the requests to a model at an endpoint.

    Args:
        file: where it is kept beyond this process; None: nowhere.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._known: Known | None = None
        self._notices: list[str] = []

    async def ready(self) -> None:
        """Read the file, once."""
        if self._known is None:
            self._known = await asyncio.to_thread(self._read)

    def left_out(self, base_url: str, model: str) -> frozenset[str]:
        """The parts that ``model`` at ``base_url`` has refused."""
        oldest = (now() - KEPT).date().isoformat()
        found = (self._known or {}).get(_key(base_url, model), {})
        return frozenset(part for part, day in found.items() if day >= oldest)

    async def keep(self, base_url: str, model: str, parts: Collection[str]) -> None:
        """From now on leave ``parts`` out: the model has just answered without them."""
        new = sorted(set(parts) - self.left_out(base_url, model))
        if not new:
            return
        self._tell(model, new)
        key, found = _key(base_url, model), dict.fromkeys(new, now().date().isoformat())
        self._known = _with(self._known or {}, key, found)
        if self._file is not None:
            await asyncio.to_thread(self._add, self._file, key, found)

    def take_notices(self) -> list[str]:
        """What was learned since the last time, each in one sentence for the user."""
        notices, self._notices = self._notices, []
        return notices

    def _tell(self, model: str, parts: Collection[str]) -> None:
        for part in sorted({*parts} - {ALSO_SAYS.get(part) for part in parts}):
            notice = NOTICES.get(part, NOTICE).format(model=model, part=part)
            self._notices.append(notice)
            logging.getLogger(__name__).info(notice)

    def _read(self) -> Known:
        """What the file holds; nothing if there is none, or another thing than we write."""
        if self._file is None:
            return {}
        try:
            return TypeAdapter(Known).validate_json(self._file.read_bytes())
        except (OSError, ValueError):
            return {}

    def _add(self, file: Path, key: str, found: dict[str, str]) -> None:
        """Add to what the file holds by now."""
        try:
            _replace(file, json.dumps(_with(self._read(), key, found), indent=1, sort_keys=True))
        except OSError as error:  # this process alone knows
            logging.getLogger(__name__).info("%s cannot be written: %s", file, error)


def _with(known: Known, key: str, found: dict[str, str]) -> Known:
    return known | {key: known.get(key, {}) | found}


def _replace(file: Path, text: str) -> None:
    make_private(file.parent)
    with NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, delete=False) as written:
        written.write(text)
    os.replace(written.name, file)


def _key(base_url: str, model: str) -> str:
    """The model at its address, without credentials and query."""
    address = urlsplit(base_url)
    host = address.netloc.rpartition("@")[2]
    return f"{model} at {address.scheme}://{host}{address.path.rstrip('/')}"
