"""The options that several commands share."""

from typing import Annotated

import typer

User = Annotated[str, typer.Option("--user", "-u", help="Whose memory and persona.")]
Thread = Annotated[
    str | None, typer.Option(help="Name of the conversation to continue. Default: a new one.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
