"""Where the tasks' files are, and how they are read."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ijson

from personaagent.core.errors import DataError


def data_folder() -> Path:
    """The folder that holds ``lamp/``, ``prefeval/`` and ``locomo/``.

    PERSONAAGENT_DATA, else ``shared/data`` beside the project.
    """
    beside = Path(__file__).parents[3] / "shared" / "data"
    return Path(os.environ.get("PERSONAAGENT_DATA", beside))


def read_json(file: Path, published: str) -> Any:
    """What a file holds; ``published`` says where its authors publish it, and in what layout.

    Raises:
        DataError: it is not there or no JSON.
    """
    with readable(file, published):
        return json.loads(file.read_text("utf-8"))


def each_of(file: Path, published: str) -> Iterator[dict[str, Any]]:
    """The items of a file that is one long list, each read when it is asked for.

    Raises:
        DataError: as ``read_json`` raises it.
    """
    with readable(file, published), file.open("rb") as opened:
        items = ijson.items(opened, "item", use_float=True)
        while (item := next(items, None)) is not None:
            yield item


@contextmanager
def readable(file: Path, published: str) -> Iterator[None]:
    """Says what is wrong with ``file`` where it cannot be read, or has another layout.

    Raises:
        DataError: it is not there, no JSON, or a field of its layout is missing.
    """
    try:
        yield
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error.strerror}). {published}") from error
    except (ValueError, LookupError, TypeError, ijson.JSONError) as error:
        raise DataError(f"{file} is not in its authors' layout ({error!r}). {published}") from error
