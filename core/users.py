"""User ids: which are valid, and the key that stands for one in stores and file names."""

import hashlib
import unicodedata

from personaagent.core.errors import UsageError


def check_user_id(user_id: str) -> str:
    """The user id itself, if it is 1 to 128 characters without control characters.

    Raises:
        UsageError: saying what is wrong with it.
    """
    if not user_id.strip():
        raise UsageError("The user id is empty: say whose memory is meant (--user NAME).")
    if len(user_id) > 128:
        raise UsageError(f"The user id has {len(user_id)} characters; at most 128 are allowed.")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in user_id):
        raise UsageError("The user id holds control characters or is not valid UTF-8.")
    return user_id


def user_key(user_id: str) -> str:
    """The user's place in store, index and threads: the SHA-256 of the id, 64 hex digits.

    A fixed alphabet, so that no id can reach into another's namespace (stores join their
    parts with dots) and no id is readable in the names of files, threads or points.
    """
    return hashlib.sha256(check_user_id(user_id).encode()).hexdigest()
