"""``personaagent token``: tokens that say to a server who asks, for development."""

import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from personaagent.cli.options import AsJson, User
from personaagent.cli.output import print_result
from personaagent.cli.server_config import load_server_config
from personaagent.core.errors import ServiceError, UsageError
from personaagent.core.extras import requires_extra
from personaagent.core.settings import load_settings

if TYPE_CHECKING:
    import httpx

token_app = typer.Typer(
    help="Tokens for the server, signed with its secret.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
LONGEST = 24 * 366
SERVER = "http://127.0.0.1:2024"


@token_app.command()
def mint(
    user: User,
    hours: Annotated[
        float, typer.Option("--hours", min=0.01, max=LONGEST, help="How long it is valid.")
    ] = 24,
    as_json: AsJson = False,
) -> None:
    """Print a token of the user; whoever holds it is that user, until it expires."""
    with requires_extra("server", "`personaagent token`"):
        from personaagent.server.identity import Tokens

    load_server_config()
    expires = datetime.now(UTC) + timedelta(hours=hours)
    token = Tokens(load_settings()).mint(user, expires)
    if as_json:
        minted = {"user": user, "expires_at": expires.isoformat(timespec="seconds")}
        print_result(minted | {"token": token}, as_json, str)
    else:
        typer.echo(token)  # in one line, however narrow the terminal


@token_app.command()
def revoke(
    user: Annotated[
        str | None, typer.Option("--user", "-u", help="All tokens of this user.")
    ] = None,
    from_stdin: Annotated[
        bool, typer.Option("--stdin", help="Instead, the one token on standard input.")
    ] = False,
    server: Annotated[str, typer.Option("--server", help="Address of the server.")] = SERVER,
    as_json: AsJson = False,
) -> None:
    """Let a user's tokens count no more, on a server that is running.

    All of the user's that were issued up to now, or the one on standard input.
    """
    if (user is None) != from_stdin:
        raise UsageError("Say which tokens: --user NAME, or --stdin with one token.")
    with requires_extra("server", "`personaagent token`"):
        from personaagent.server.identity import Tokens

    load_server_config()
    if user is None:
        token, which = sys.stdin.readline().strip(), "this"
    else:
        soon = datetime.now(UTC) + timedelta(minutes=1)
        token, which = Tokens(load_settings()).mint(user, soon), "all"
    _ask_to_revoke(server, token, which)
    revoked = {"user": user, "which": which}
    print_result(revoked, as_json, lambda _: "Revoked.")


def _ask_to_revoke(server: str, token: str, which: str) -> None:
    import httpx

    try:
        answer = httpx.post(
            f"{server.rstrip('/')}/me/tokens/revoke",
            json={"which": which},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ServiceError(
            f"No server answers at {server}: start it, or name it by --server."
        ) from error
    if answer.status_code == 401:
        raise UsageError(f"The server refuses the token: {_detail(answer)}")
    if answer.is_error:
        raise ServiceError(
            f"The server did not revoke it ({answer.status_code}): {_detail(answer)}"
        )


def _detail(answer: "httpx.Response") -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, LookupError, TypeError):
        return answer.reason_phrase
