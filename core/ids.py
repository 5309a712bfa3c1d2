"""Generated ids, which people name by their first characters."""

import re
from collections.abc import Iterable

from personaagent.core.errors import UsageError

SHORT_CHARS = 8
MIN_PREFIX_CHARS = 4
SHOWN_CANDIDATES = 5
_GENERATED = re.compile(r"[0-9a-f][0-9a-f-]{15,}")
_IN_TEXT = re.compile(r"\b[0-9a-f]{16,32}\b")
_PREFIX = re.compile(r"[0-9a-f][0-9a-f-]{3,30}")


def short_id(id: str) -> str:
    """The first 8 characters of a generated id; an id that somebody chose, as it is."""
    return id[:SHORT_CHARS] if _GENERATED.fullmatch(id) else id


def shorten_ids(text: str) -> str:
    """``text`` with the generated ids in it as ``short_id`` shows them."""
    return _IN_TEXT.sub(lambda id: id[0][:SHORT_CHARS], text)


def may_be_prefix(text: str) -> bool:
    """Whether ``text`` can stand for a generated id: 4 to 31 hex digits or dashes.

    With fewer, a slip of the hand would name something else. Ids that somebody chose must be
    written out.
    """
    return _PREFIX.fullmatch(text) is not None


def match_prefix(prefix: str, ids: Iterable[str]) -> str | None:
    """The one generated id that begins with ``prefix``; None if there is none.

    Raises:
        UsageError: there are several; the sentence names them.
    """
    matches = sorted(id for id in ids if id.startswith(prefix) and _GENERATED.fullmatch(id))
    if len(matches) > 1:
        shown = ", ".join(_distinct(matches)[:SHOWN_CANDIDATES])
        more = ", ..." if len(matches) > SHOWN_CANDIDATES else ""
        raise UsageError(
            f"'{prefix}' is the beginning of {len(matches)} ids: {shown}{more}. "
            "Write more of the one that you mean."
        )
    return matches[0] if matches else None


def _distinct(ids: list[str]) -> list[str]:
    """The ids, as short as they can be and still differ."""
    chars = SHORT_CHARS
    while len({id[:chars] for id in ids}) < len(ids):
        chars += 1
    return [id[:chars] for id in ids]
