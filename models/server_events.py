"""Server-sent events of an answer in pieces, read as leniently as they are sent."""

import json
from collections.abc import AsyncIterator
from typing import Any

DONE = object()
"""The event that ends a stream: ``data: [DONE]``."""


async def server_events(body: AsyncIterator[bytes]) -> AsyncIterator[Any]:
    """The events of ``body``: the JSON of each, or ``DONE``.

    Lines that hold no data, such as comments, are skipped, and so is an event that breaks off at the
    end. Lines end with a line feed only: JSON may hold the other characters that Python takes for ends
    of lines.

    Raises:
        ValueError: an event is no JSON.
    """
    data = b""
    async for line in _lines(body):
        if not line and data:
            json.loads(data)  # an event that has ended, and is none
        elif line == b"data: [DONE]" or line == b"data:[DONE]":
            yield DONE
        elif line.startswith((b"data:", b"{")):
            data += line.removeprefix(b"data:")
            if (event := _parsed(data)) is not None:
                data = b""
                yield event


def _parsed(data: bytes) -> Any:
    """The JSON of an event, None as long as lines of it are missing."""
    try:
        return json.loads(data)
    except ValueError:
        return None


async def _lines(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for part in body:
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            yield line.strip()
    if rest.strip():
        yield rest.strip()
