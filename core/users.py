"""User ids: which are valid, and the key that stands for one in stores and file names."""

import hashlib
import unicodedata

from personaagent.core.errors import UsageError


def check_user_id(user_id: str) -> str:
    """Return the user id if it has 1 to 128 characters and none of them is a control character.

    Raises:
        UsageError: the message says what is wrong with it.
    """
    if not user_id.strip():
        raise UsageError("The user id is empty: say whose memory is meant (--user NAME).")
    if len(user_id) > 128:
        raise UsageError(f"The user id has {len(user_id)} characters; at most 128 are allowed.")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in user_id):
        raise UsageError("The user id holds control characters or is not valid UTF-8.")
    return user_id


def user_key(user_id: str) -> str:
    """The name of the user in store, index and threads: the SHA-256 of the id, 64 hex digits.

    Its alphabet is fixed, so no id can reach into another user's namespace (stores join the parts
    with dots), and no id can be read from the names of files, threads or points.
    """
    return hashlib.sha256(check_user_id(user_id).encode()).hexdigest()
