"""The commands of ``personaagent``."""

from importlib.metadata import version
from typing import Annotated

import typer

from personaagent.cli.align import align
from personaagent.cli.ask import ask
from personaagent.cli.backup import backup, restore
from personaagent.cli.chat import chat
from personaagent.cli.config import config
from personaagent.cli.eval import eval_app
from personaagent.cli.feedback import feedback
from personaagent.cli.learned import learned
from personaagent.cli.mcp import mcp
from personaagent.cli.memory import memory_app
from personaagent.cli.model import model_app
from personaagent.cli.persona import persona_app
from personaagent.cli.profile import profile_app
from personaagent.cli.serve import serve
from personaagent.cli.token import token_app
from personaagent.cli.undo import undo

app = typer.Typer(
    help="An agent that learns one person at a time: it remembers what you say, follows a persona "
    "of your own, and keeps its memory on this machine.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: personaagent chat --user NAME",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"personaagent {version('personaagent')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


app.command()(chat)
app.command()(ask)
app.command()(feedback)
app.command()(align)
app.command()(learned)
app.add_typer(memory_app, name="memory")
app.add_typer(persona_app, name="persona")
app.add_typer(profile_app, name="profile")
app.command()(backup)
app.command()(restore)
app.add_typer(model_app, name="model")
app.add_typer(eval_app, name="eval")
app.command()(undo)
app.command()(serve)
app.command()(mcp)
app.add_typer(token_app, name="token")
app.command()(config)

if __name__ == "__main__":
    app(["--help"], prog_name="personaagent")
