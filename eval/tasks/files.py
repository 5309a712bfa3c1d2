"""Where the files of the tasks are, and how to read them."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ijson

from personaagent.core.errors import DataError


def data_folder() -> Path:
    """The folder that contains ``lamp/``, ``prefeval/`` and ``locomo/``.

    PERSONAAGENT_DATA, or else ``shared/data`` beside the repository.
    """
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    return Path(os.environ.get("PERSONAAGENT_DATA", beside))


def read_json(file: Path, published: str) -> Any:
    """The content of a file; ``published`` tells where its authors publish it.

    Raises:
        DataError: the file is missing or not JSON.
    """
    with data_errors(file, published):
        return json.loads(file.read_text("utf-8"))


def iterate_json(file: Path, published: str) -> Iterator[dict[str, Any]]:
    """Yield the items of a file that is one long list, one at a time.

    Raises:
        DataError: as ``read_json`` raises it.
    """
    with data_errors(file, published), file.open("rb") as opened:
        items = ijson.items(opened, "item", use_float=True)
        while (item := next(items, None)) is not None:
            yield item


@contextmanager
def data_errors(file: Path, published: str) -> Iterator[None]:
    """Turn errors that the block raises while it reads ``file`` into one that tells what to do.

    Raises:
        DataError: the file is missing, not JSON, or lacks a field.
    """
    try:
        yield
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error.strerror}). {published}") from error
    except (ValueError, LookupError, TypeError, ijson.JSONError) as error:
        raise DataError(f"{file} is not in its authors' layout ({error!r}). {published}") from error
