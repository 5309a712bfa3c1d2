"""Tokens that count no more before they expire: a deny list in the store, read with every request.

It knows a token by its ``jti``, or by a hash of one that has none, so that tokens of any issuer can be
revoked. Of a user it holds ids, times and nothing else, and stays when they are forgotten: else a
token that was stolen would live again.
"""

import time
from collections.abc import Callable

from langgraph.store.base import BaseStore

from personaagent.core.users import user_key
from personaagent.memory.shared_value import Value, change_value
from personaagent.memory.storage_errors import storage_errors
from personaagent.server.identity import Claims

REVOKED = ("revoked",)
DAY = 24 * 3600
"""How long a token that has expired stays listed: clocks differ."""


async def is_revoked(store: BaseStore, claims: Claims) -> bool:
    """Whether this token counts no more.

    Raises:
        DataError: the store cannot be read now.
    """
    with storage_errors():
        item = await store.aget(REVOKED, user_key(claims.user_id))
    if item is None:
        return False
    return claims.id in item.value["tokens"] or claims.issued_at <= item.value["before"]


async def revoke_token(store: BaseStore, claims: Claims) -> None:
    """Let this token count no more."""
    await _change(
        store, claims.user_id, lambda value: {**value["tokens"], claims.id: claims.expires_at}, 0
    )


async def revoke_all(store: BaseStore, user_id: str) -> None:
    """Let no token of the user count that was issued up to this second."""
    await _change(store, user_id, lambda value: value["tokens"], int(time.time()))


async def _change(
    store: BaseStore, user_id: str, tokens: Callable[[Value], dict[str, float]], before: int
) -> None:
    def changed(stored: Value | None) -> tuple[Value, None]:
        value = stored or {"tokens": {}, "before": 0}
        alive = {id: end for id, end in tokens(value).items() if end > time.time() - DAY}
        return {"tokens": alive, "before": max(before, value["before"])}, None

    await change_value(store, REVOKED, user_key(user_id), changed)
