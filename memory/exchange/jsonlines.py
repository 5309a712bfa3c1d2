"""JSON lines: an episode a line, as ``memory export`` writes them."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import orjson
from pydantic import ValidationError

from personaagent.core.errors import UsageError
from personaagent.core.records import Episode
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
    """The episode as the line that ``read_lines`` reads; it does not say whose it is."""
    stored = episode.stored()
    del stored["user_id"]
    return orjson.dumps(stored, option=orjson.OPT_APPEND_NEWLINE)


def read_lines(file: BinaryIO, user_id: str) -> Iterator[ParsedEpisode | ParseProblem]:
    """The episodes of ``file``, read line by line, as those of ``user_id``; empty lines are skipped."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        where = f"line {number}"
        if len(line) > LONGEST_LINE:
            _skip_line(file, line)
            yield ParseProblem(where, f"the line is longer than {LONGEST_LINE:,} bytes")
        elif line.strip():
            yield _read(line, where, user_id)


def _skip_line(file: BinaryIO, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = file.readline(LONGEST_LINE)


def _read(line: bytes, where: str, user_id: str) -> ParsedEpisode | ParseProblem:
    try:
        content = _content(line)
        plain = _plain(content)
        given = {"id": derived_id(plain.decode()), "source": "import"} | content
        episode = Episode.model_validate(given | {"user_id": user_id})
        _check(episode)
    except ValidationError as error:
        return ParseProblem(where, "; ".join(_sentence(each) for each in error.errors()))
    except (UsageError, ValueError) as error:
        return ParseProblem(where, str(error))
    return ParsedEpisode(where, episode, digest(plain))


def _content(line: bytes) -> dict[str, Any]:
    """The fields that the line gives; null counts as not given.

    Raises:
        ValueError: the line is not an object in JSON, or has unknown fields.
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


def _plain(content: dict[str, Any]) -> bytes:
    """One form of the same content, as deep as the store will write it.

    Raises:
        ValueError: it is nested too deeply for the store.
    """
    try:
        return orjson.dumps({"episode": content}, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise ValueError("the metadata is nested too deeply") from error


def _check(episode: Episode) -> None:
    """Refuse what could not be stored, sent to a model or named on the command line.

    Raises:
        UsageError: saying what is wrong.
    """
    check_text(episode.query, "query", LONGEST_LINE)
    for name in ("id", "response", "ground_truth", "source"):
        check_characters(getattr(episode, name) or "", name)
    if episode.task is not None:
        check_text(episode.task, "task", 100)


def _sentence(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"])
    reason = error["msg"].removeprefix("Value error, ")
    return f"{name}: {reason}" if name else reason
