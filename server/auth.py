"""Authentication and authorisation, named by langgraph.json: everything is its owner's alone.

A server that has neither a secret nor a key server answers one developer, at this machine, who
needs no token, may be any user, and sees everything. Nothing that is not spoken of here is allowed;
the store is read only to everybody.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from langgraph_sdk import Auth
from starlette.exceptions import HTTPException

from personaagent.core.alignment_state import KEPT, alignment_thread
from personaagent.core.errors import ServiceError, TokenRefused
from personaagent.core.once import Once
from personaagent.core.settings import load_settings, variable
from personaagent.core.users import user_key
from personaagent.server.dev_auth import USER_HEADER, at_this_machine
from personaagent.server.identity import Tokens

Context = Auth.types.AuthContext
Filter = Auth.types.FilterType
WRITES = ("create", "create_run", "update")
SYSTEM = {"created_by": "system"}
"""What LangGraph's server writes into the assistants that it makes of the graphs themselves."""

auth = Auth()
tokens = Once(lambda: Tokens(load_settings()))
"""Read when the first request comes, so that importing this reads nothing."""


@auth.authenticate
async def authenticate(
    headers: Mapping[Any, Any], scope: Mapping[str, Any] | None = None
) -> Auth.types.MinimalUserDict:
    """The user whom the bearer token names; 401 without a valid one.

    ``headers`` are bytes on LangGraph's server and texts on aegra, which gives no ``scope``.
    """
    said = {_text(name).lower(): _text(value) for name, value in headers.items()}
    verifier = await tokens.aget()
    if not verifier.required:
        return _developer(said, scope or {})
    kind, _, token = said.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise Auth.exceptions.HTTPException(401, "A bearer token is needed.")
    try:
        return {"identity": await verifier.user(token.strip())}
    except TokenRefused as refused:
        raise Auth.exceptions.HTTPException(401, str(refused)) from refused
    except ServiceError as failure:
        raise HTTPException(503, str(failure)) from failure


def _text(said: str | bytes) -> str:
    return said.decode("latin-1") if isinstance(said, bytes) else said


def _developer(headers: Mapping[str, str], scope: Mapping[str, Any]) -> Auth.types.MinimalUserDict:
    if not at_this_machine(headers, scope):
        raise Auth.exceptions.HTTPException(
            401,
            "Without tokens this server answers its own machine only: "
            f"set {variable('auth_secret')} or {variable('auth_jwks_url')}.",
        )
    user = headers.get(USER_HEADER, "")
    return {"identity": user, "is_authenticated": bool(user)}


@auth.on
async def deny(ctx: Context, value: Any) -> bool:
    """What nothing below speaks of is allowed to nobody but the developer."""
    return not (await tokens.aget()).required


@auth.on(resources=["threads", "crons"])
async def own(ctx: Context, value: dict[str, Any]) -> Filter | None:
    """Threads with their runs, and crons, are made, seen and changed by their owner alone."""
    if not (await tokens.aget()).required:
        return None
    if ctx.action in WRITES:
        _refuse_kept_thread(value.get("thread_id"), ctx.user.identity)
    return _owned(ctx, value)


@auth.on.assistants
async def assistants(ctx: Context, value: dict[str, Any]) -> Filter | None:
    """Assistants likewise; those of the graphs themselves are there for everybody to run."""
    if not (await tokens.aget()).required:
        return None
    owned = _owned(ctx, value)
    if ctx.action in ("read", "search"):
        return {"$or": [owned, SYSTEM]}  # type: ignore[return-value]  # which knows no $or
    return owned


@auth.on.store
async def store(ctx: Context, value: dict[str, Any]) -> None:
    """Of the store a user reads what is their own, and nobody writes anything.

    What stands there is the truth of their memory, with counts, versions and evidence that belong
    together: it is changed by the graphs and by our routes, which check what they are given.
    """
    if (await tokens.aget()).required:
        _keep_to_own_items(ctx, value)
    if ctx.action in ("put", "delete"):
        raise Auth.exceptions.HTTPException(403, "The memory is changed by its own routes only.")


def _keep_to_own_items(ctx: Context, value: dict[str, Any]) -> None:
    own = ("users", user_key(ctx.user.identity))
    asked = tuple(value.get("namespace") or ())
    if ctx.action in ("search", "list_namespaces") and own[: len(asked)] == asked:
        value["namespace"] = own
    elif asked[: len(own)] != own:
        raise Auth.exceptions.HTTPException(404, "There is no such item.")


def _owned(ctx: Context, value: dict[str, Any]) -> dict[str, Any]:
    """The filter for what is the user's own; what is written is made so, in place."""
    owner = {"owner": ctx.user.identity}
    if ctx.action in WRITES:
        metadata = value.get("metadata")
        if metadata is None:
            metadata = value["metadata"] = {}
        metadata.update(owner)
        metadata.pop("created_by", None)  # nobody makes an assistant for everybody
    return owner


def _refuse_kept_thread(thread_id: UUID | str | None, user_id: str) -> None:
    """Let nobody make the thread that another user's alignment will have.

    Its id can be told from the user's, and which ids are such ones from the ids.
    """
    if thread_id is None or str(thread_id) == alignment_thread(user_id):
        return
    try:
        kept = UUID(str(thread_id)).version == KEPT
    except ValueError:
        return  # the server says what is wrong with it
    if kept:
        raise Auth.exceptions.HTTPException(404, "There is no such thread.")
