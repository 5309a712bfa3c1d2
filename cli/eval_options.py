"""The options that the ``personaagent eval`` commands share."""

from pathlib import Path
from typing import Annotated

import typer

Names = Annotated[
    str, typer.Option(metavar="A,B,...", help="Names, separated by commas; see eval list.")
]
Users = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Users per task, drawn by the seed.")
]
Limit = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Questions per task, drawn by the seed.")
]
Seed = Annotated[int, typer.Option(help="Decides everything that is drawn or shuffled.")]
History = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="Keep only the newest N of each history.")
]
Turns = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="PrefEval: turns before its question.")
]
Concurrency = Annotated[
    int | None,
    typer.Option(min=1, metavar="C", help="Requests at once; 16, or 1 on the embedded model."),
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Processes; as many as the endpoint keeps busy."),
]
Data = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="The folder with lamp/, prefeval/ and locomo/."),
]
Out = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Where to write; by default a folder in eval-runs/."),
]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Run failed questions again.")]
LangSmith = Annotated[
    str | None, typer.Option(metavar="PROJECT", help="Send the run to LangSmith as well.")
]
PriceTable = Annotated[
    Path | None, typer.Option("--prices", metavar="FILE", help="Prices by model, as TOML.")
]
Against = Annotated[
    str | None,
    typer.Option(metavar="METHOD", help="Compare with this method, not with the best baseline."),
]
