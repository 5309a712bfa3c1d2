"""Authentication and authorisation, named by langgraph.json: everything is its owner's alone.

Without a secret and a key server there is one developer, on this machine: requests from loopback
need no token, may be any user (header X-User-Id, or the context's user_id), and see everything.
All other requests are refused.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from langgraph_sdk import Auth

from personaagent.core.errors import ServiceError, TokenRefused
from personaagent.core.records import user_key
from personaagent.core.settings import load_settings, variable
from personaagent.server.identity import Tokens

DEVELOPER = "developer"
"""The permission of whoever may do everything."""
USER_HEADER = "x-user-id"

auth = Auth()
tokens = Tokens(load_settings())


@auth.authenticate
async def authenticate(
    headers: Mapping[Any, Any], scope: Mapping[str, Any] | None = None
) -> Auth.types.MinimalUserDict:
    """The user whom the bearer token names; 401 without a valid one."""
    said = {_text(name).lower(): _text(value) for name, value in headers.items()}
    if not tokens.required:
        return _developer(said, scope)
    kind, _, token = said.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise Auth.exceptions.HTTPException(401, "A bearer token is needed.")
    try:
        return {"identity": await tokens.user(token.strip())}
    except TokenRefused as refused:
        raise Auth.exceptions.HTTPException(401, str(refused)) from refused
    except ServiceError as failure:
        raise Auth.exceptions.HTTPException(503, str(failure)) from failure


def _text(said: str | bytes) -> str:
    return said.decode("latin-1") if isinstance(said, bytes) else said


def _developer(
    said: Mapping[str, str], scope: Mapping[str, Any] | None
) -> Auth.types.MinimalUserDict:
    peer = (scope or {}).get("client")
    if not peer or not ip_address(peer[0]).is_loopback:
        raise Auth.exceptions.HTTPException(
            401,
            "Without tokens this server answers on its own machine only: "
            f"set {variable('auth_secret')} or {variable('auth_jwks_url')}.",
        )
    user = said.get(USER_HEADER, "")
    return {"identity": user, "is_authenticated": bool(user), "permissions": [DEVELOPER]}


Filter = Auth.types.FilterType


@auth.on
async def deny(ctx: Auth.types.AuthContext, value: Any) -> bool:
    """What nothing below speaks of is nobody's, but for the developer."""
    return DEVELOPER in ctx.permissions


@auth.on.threads
@auth.on.crons
async def own(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> Filter | None:
    """Threads, runs and crons are seen, changed and made by their owner alone."""
    if DEVELOPER in ctx.permissions:
        return None
    return _owned(ctx, value)


@auth.on.assistants
async def assistants(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> Filter | None:
    """Assistants likewise; those of the graphs themselves are there for everybody to read."""
    if DEVELOPER in ctx.permissions:
        return None
    owned = _owned(ctx, value)
    if ctx.action in ("read", "search"):
        return {"$or": [owned, {"created_by": "system"}]}
    return owned


@auth.on.store
async def store(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> None:
    """Of the store a user reads what is theirs. Writing goes through our routes, which check it."""
    if DEVELOPER in ctx.permissions:
        return
    own = ("users", user_key(ctx.user.identity))
    asked = tuple(value.get("namespace") or ())
    if ctx.action in ("search", "list_namespaces") and own[: len(asked)] == asked:
        value["namespace"] = own
    elif asked[: len(own)] != own:
        raise Auth.exceptions.HTTPException(404, "There is no such item.")
    elif ctx.action in ("put", "delete"):
        raise Auth.exceptions.HTTPException(403, "Memory is changed by our routes only.")


def _owned(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> dict[str, Any]:
    """Write the owner into what is made or changed; returns the filter for what is asked for."""
    owner = {"owner": ctx.user.identity}
    if ctx.action in ("create", "create_run", "update"):
        value["metadata"] = (value.get("metadata") or {}) | owner
    return owner
