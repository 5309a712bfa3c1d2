"""Authentication and authorisation, named by langgraph.json: everything belongs to its owner alone.

A server with neither a secret nor a key server answers one developer, on this machine, who needs no
token, may be any user, and sees everything. What no handler here allows is denied; the store is
read-only for everybody.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from langgraph_sdk import Auth
from starlette.exceptions import HTTPException

from personaagent.core.alignment_state import THREAD_UUID_VERSION, alignment_thread
from personaagent.core.errors import DataError, ServiceError, TokenRefused
from personaagent.core.once import Once
from personaagent.core.settings import load_settings, variable
from personaagent.core.users import user_key
from personaagent.nodes.current_user import NOT_HERE
from personaagent.server.acting_as import acting_user
from personaagent.server.alignment_runs import GRAPH
from personaagent.server.dev_auth import USER_HEADER, is_from_this_machine
from personaagent.server.graphs import dependencies
from personaagent.server.identity import Claims, Tokens
from personaagent.server.revocation import is_revoked
from personaagent.server.run_input import refuse_unusable
from personaagent.server.store import on_server, server_store
from personaagent.server.user_limits import refuse_if_spent

Context = Auth.types.AuthContext
Filter = Auth.types.FilterType
ALIGNMENT = {GRAPH, str(uuid5(UUID("6ba7b821-9dad-11d1-80b4-00c04fd430c8"), GRAPH))}
"""How a run may name the graph of alignment: by its name, or by the assistant that servers make of it."""
WRITES = ("create", "create_run", "update")
SYSTEM = {"created_by": "system"}
"""The metadata of the assistants that LangGraph's server makes, one a graph."""

auth = Auth()
tokens = Once(lambda: Tokens(load_settings()))
"""Made on first use, so that importing this module reads no settings."""


@auth.authenticate
async def authenticate(
    headers: Mapping[Any, Any], scope: Mapping[str, Any] | None = None
) -> Auth.types.MinimalUserDict:
    """The user whom the bearer token names, or the server acts as; 401 without a valid one.

    ``headers`` are bytes on LangGraph's server and strings on aegra, which passes no ``scope``.
    """
    if user := acting_user():
        return {"identity": user}
    texts = {_text(name).lower(): _text(value) for name, value in headers.items()}
    verifier = await tokens.aget()
    if not verifier.required:
        return _developer(texts, scope or {})
    scheme, _, token = texts.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Auth.exceptions.HTTPException(401, "A bearer token is needed.")
    try:
        return {"identity": (await valid_claims(token.strip())).user_id}
    except TokenRefused as refused:
        raise Auth.exceptions.HTTPException(401, str(refused)) from refused
    except (ServiceError, DataError) as failure:
        raise HTTPException(503, str(failure)) from failure


async def valid_claims(token: str) -> Claims:
    """What a token says that is valid and not revoked.

    Raises:
        TokenRefused: it is neither; ServiceError, DataError: nobody can say now.
    """
    claims = await (await tokens.aget()).claims(token)
    if on_server() and await is_revoked(await server_store(), claims):
        raise TokenRefused("The token is refused: it was revoked.")
    return claims


def _text(header: str | bytes) -> str:
    return header.decode("latin-1") if isinstance(header, bytes) else header


def _developer(headers: Mapping[str, str], scope: Mapping[str, Any]) -> Auth.types.MinimalUserDict:
    if not is_from_this_machine(headers, scope):
        raise Auth.exceptions.HTTPException(
            401,
            "Without tokens this server answers its own machine only: "
            f"set {variable('auth_secret')} or {variable('auth_jwks_url')}.",
        )
    user = headers.get(USER_HEADER, "")
    return {"identity": user, "is_authenticated": bool(user)}


@auth.on
async def deny(ctx: Context, value: Any) -> bool:
    """What no handler below allows is denied to everybody but the developer."""
    return not (await tokens.aget()).required


@auth.on(resources=["threads", "crons"])
async def own(ctx: Context, value: dict[str, Any]) -> Filter | None:
    """Only their owner creates, sees and changes threads with their runs, and crons."""
    if ctx.action == "create_run":
        await _check_run(ctx, value)
    if ctx.resource == "crons" and ctx.action == "create":
        _check_cron(ctx, value)
    if not (await tokens.aget()).required:
        return None
    if ctx.action in WRITES:
        _refuse_kept_thread(value.get("thread_id"), ctx.user.identity)
    return _owned(ctx, value)


async def _check_run(ctx: Context, value: dict[str, Any]) -> None:
    """Refuse a run before anything of it is stored."""
    deps = await dependencies.aget()
    if str(value.get("assistant_id")) in ALIGNMENT:
        _keep_to_own_thread(ctx, value)
        return
    refuse_unusable(value, deps.settings.max_query_chars)
    if deps.settings.daily_tokens and ctx.user.identity:
        await refuse_if_spent(deps, await server_store(), ctx.user.identity)


def _check_cron(ctx: Context, value: dict[str, Any]) -> None:
    """Refuse what would be refused each time; LangGraph's server has it in ``payload``."""
    asked = {**value, **(value.get("payload") or {})}
    if str(asked.get("assistant_id")) in ALIGNMENT:
        _keep_to_own_thread(ctx, value)


def _keep_to_own_thread(ctx: Context, value: dict[str, Any]) -> None:
    """Refuse an alignment on any thread but its user's own.

    One by an assistant that a user has made of the graph is refused by the graph itself, as is one
    of a developer who names the user in the context.
    """
    user = ctx.user.identity
    if user and str(value.get("thread_id")) != alignment_thread(user):
        raise Auth.exceptions.HTTPException(403, NOT_HERE)


@auth.on.assistants
async def assistants(ctx: Context, value: dict[str, Any]) -> Filter | None:
    """Assistants likewise; everybody may run those of the graphs themselves."""
    if not (await tokens.aget()).required:
        return None
    owned = _owned(ctx, value)
    if ctx.action in ("read", "search"):
        return {"$or": [owned, SYSTEM]}  # type: ignore[return-value]  # which knows no $or
    return owned


@auth.on.store
async def store(ctx: Context, value: dict[str, Any]) -> None:
    """A user reads their own items of the store, and nobody writes any.

    The store is the truth of their memory, with counts, versions and evidence that belong together:
    only the graphs and our routes change it, and check what they write.
    """
    if (await tokens.aget()).required:
        _keep_to_own_items(ctx, value)
    if ctx.action in ("put", "delete"):
        raise Auth.exceptions.HTTPException(403, "The memory is changed by its own routes only.")


def _keep_to_own_items(ctx: Context, value: dict[str, Any]) -> None:
    own = ("users", user_key(ctx.user.identity))
    namespace = tuple(value.get("namespace") or ())
    if ctx.action in ("search", "list_namespaces") and own[: len(namespace)] == namespace:
        value["namespace"] = own
    elif namespace[: len(own)] != own:
        raise Auth.exceptions.HTTPException(404, "There is no such item.")


def _owned(ctx: Context, value: dict[str, Any]) -> dict[str, Any]:
    """The filter for what the user owns; on a write, makes them the owner, in place."""
    owner = {"owner": ctx.user.identity}
    if ctx.action in WRITES:
        metadata = value.get("metadata")
        if metadata is None:
            metadata = value["metadata"] = {}
        metadata.update(owner)
        metadata.pop("created_by", None)  # else they could make an assistant for everybody
    return owner


def _refuse_kept_thread(thread_id: UUID | str | None, user_id: str) -> None:
    """Let nobody create the thread that another user's alignment will have.

    Its id follows from the user's, and can be recognised as such an id.
    """
    if thread_id is None or str(thread_id) == alignment_thread(user_id):
        return
    try:
        is_kept = UUID(str(thread_id)).version == THREAD_UUID_VERSION
    except ValueError:
        return  # the server refuses it with its own message
    if is_kept:
        raise Auth.exceptions.HTTPException(404, "There is no such thread.")
