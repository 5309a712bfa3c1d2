"""The options that several commands share."""

from typing import Annotated

import typer

from personaagent.cli.default_user import default_user, known_users

User = Annotated[
    str,
    typer.Option(
        "--user",
        "-u",
        help="Whose memory and persona.",
        default_factory=default_user,
        show_default="the setting user, else the only user",
        autocompletion=known_users,
    ),
]
Thread = Annotated[
    str | None, typer.Option(help="Name of the conversation to continue. Default: a new one.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Reasoning = Annotated[
    bool, typer.Option("--reasoning", help="Show the model's reasoning too, on standard error.")
]
