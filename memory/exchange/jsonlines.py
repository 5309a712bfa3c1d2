"""JSON lines: one episode in each line, as ``memory export`` writes them."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import orjson
from pydantic import ValidationError

from personaagent.core.errors import UsageError
from personaagent.core.records import MARK_CHARS, Episode
from personaagent.core.text import check_characters, check_text
from personaagent.memory.exchange.parse_results import (
    ParsedEpisode,
    ParseProblem,
    derived_id,
    digest,
)

LONGEST_LINE = 1_000_000
FIELDS = Episode.model_fields.keys() - {"user_id"}


def write_line(episode: Episode) -> bytes:
    """The episode as a line that ``read_lines`` can read, without the user id."""
    stored = episode.stored()
    del stored["user_id"]
    return orjson.dumps(stored, option=orjson.OPT_APPEND_NEWLINE)


def read_lines(file: BinaryIO, user_id: str) -> Iterator[ParsedEpisode | ParseProblem]:
    """The episodes of ``file``, read line by line, as those of ``user_id``; skips empty lines."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        where = f"line {number}"
        if len(line) > LONGEST_LINE:
            _skip_line(file, line)
            yield ParseProblem(where, f"the line is longer than {LONGEST_LINE:,} bytes")
        elif line.strip():
            yield _parse_line(line, where, user_id)


def _skip_line(file: BinaryIO, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = file.readline(LONGEST_LINE)


def _parse_line(line: bytes, where: str, user_id: str) -> ParsedEpisode | ParseProblem:
    try:
        content = _content(line)
        canonical = _canonical(content)
        defaults = {"id": derived_id(canonical.decode()), "source": "import"}
        episode = Episode.model_validate(defaults | content | {"user_id": user_id})
        _check(episode)
    except ValidationError as error:
        return ParseProblem(where, "; ".join(_sentence(detail) for detail in error.errors()))
    except (UsageError, ValueError) as error:
        return ParseProblem(where, str(error))
    return ParsedEpisode(where, episode, digest(canonical), strict=True)


def _content(line: bytes) -> dict[str, Any]:
    """The fields of the line; one that is null counts as missing.

    Raises:
        ValueError: the line is not a JSON object, or has unknown fields.
    """
    try:
        content = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        if "UTF-8" in error.msg:
            raise ValueError("is not valid UTF-8") from error
        raise ValueError(f"is not valid JSON ({error.msg} at character {error.colno})") from error
    if not isinstance(content, dict):
        raise ValueError("is not a JSON object with a query and a response")
    unknown = sorted(content.keys() - FIELDS)
    if unknown:
        raise ValueError(
            f"unknown field {', '.join(unknown)} (there are {', '.join(sorted(FIELDS))})"
        )
    return {name: value for name, value in content.items() if value is not None}


def _canonical(content: dict[str, Any]) -> bytes:
    """The content as JSON with sorted keys, nested as deeply as the store will write it.

    Raises:
        ValueError: it is nested too deeply for the store.
    """
    try:
        return orjson.dumps({"episode": content}, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise ValueError("the metadata is nested too deeply") from error


def _check(episode: Episode) -> None:
    """Refuse what cannot be stored, sent to a model or named on the command line.

    Raises:
        UsageError: the message says what is wrong.
    """
    check_text(episode.query, "query", LONGEST_LINE)
    for name in ("id", "response", "ground_truth", "source", "superseded_by"):
        check_characters(getattr(episode, name) or "", name)
    for question in episode.irrelevant_to:
        check_text(question, "irrelevant_to", MARK_CHARS)
    if episode.task is not None:
        check_text(episode.task, "task", 100)


def _sentence(detail: Any) -> str:
    name = ".".join(str(part) for part in detail["loc"])
    reason = detail["msg"].removeprefix("Value error, ")
    return f"{name}: {reason}" if name else reason
