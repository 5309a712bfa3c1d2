"""``personaagent token``: tokens that say to a server who asks, for development."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from personaagent.cli.options import AsJson, User
from personaagent.cli.output import print_result
from personaagent.cli.server_config import load_server_config
from personaagent.core.extras import requires_extra
from personaagent.core.settings import load_settings

token_app = typer.Typer(
    help="Tokens for the server, signed with its secret.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
LONGEST = 24 * 366


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
