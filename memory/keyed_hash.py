"""Keyed hashes, which recognise what was forgotten without keeping its text."""

import hmac
import re
import secrets
import unicodedata
from typing import Literal

from personaagent.memory.user_store import UserStore

KEY: tuple[Literal["forgotten"], str] = ("forgotten", "key")


async def hash_key(store: UserStore) -> bytes:
    """The user's own random key; it is made at its first use, and goes when the user is forgotten."""
    [stored] = await store.get(*KEY)
    if stored is None:
        stored = {"key": secrets.token_hex(32)}
        await store.write([(*KEY, stored)])
    return bytes.fromhex(stored["key"])


def keyed_hash(key: bytes, text: str) -> str:
    """The HMAC-SHA-256 of ``plain_words(text)``, 32 hex digits."""
    return hmac.digest(key, plain_words(text).encode(), "sha256").hex()[:32]


def plain_words(text: str) -> str:
    """The words of ``text``, without case, punctuation, and the form in which they are encoded."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))
