"""Users in the log of a server: by a hash, as in the store and in traces."""

import logging
import re
from collections.abc import Mapping
from typing import Any

from personaagent.core.users import user_key

KEYS = ("user", "user_id", "identity", "user_identity")
"""Under which names a record of a log holds a user's id."""
IN_TEXT = re.compile(
    r"\buser(?:_id)?=(?P<user>.+?)(?P<more>(?: (?:thread|run)_id=[0-9A-Za-z-]+)*)$", re.DOTALL
)
"""``... user=ID``, and what stands behind it. An id may hold any character, also spaces."""


def hide_users_in_logs(library: str) -> None:
    """Log users by their hash, whatever the library that goes by that name says of them."""
    make_record = logging.getLogRecordFactory()

    def make(name: str, *args: Any, **options: Any) -> logging.LogRecord:
        record = make_record(name, *args, **options)
        if name.partition(".")[0] == library:
            record.msg = without_users(record.msg)
        return record

    logging.setLogRecordFactory(make)


def without_users(message: Any) -> Any:
    """What a record says, a text or structlog's names with values, with users' ids as hashes."""
    if isinstance(message, str):
        return IN_TEXT.sub(_hashed, message)
    if not isinstance(message, Mapping):
        return message
    hidden = {
        key: user_key(value) for key, value in message.items() if key in KEYS and _is_id(value)
    }
    return {
        **message,
        **hidden,
        **({"event": without_users(message["event"])} if "event" in message else {}),
    }


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _hashed(match: re.Match[str]) -> str:
    return f"user={user_key(match['user'])}{match['more']}"
