"""The options of ``personaagent align``."""

from typing import Annotated

import typer

from personaagent.core.settings import Mode, Sampling

OneUser = Annotated[
    str | None,
    typer.Option(
        "--user",
        "-u",
        help="Whose persona.",
        show_default="the setting user, else the only user",
    ),
]
Everyone = Annotated[bool, typer.Option("--all", help="Every user with enough new labels.")]
RunMode = Annotated[Mode, typer.Option(help="gated, or Algorithm 1 of the paper.")]
SamplingBy = Annotated[Sampling | None, typer.Option(help="Which episodes to learn from.")]
SimilarTo = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Learn from episodes similar to this text.")
]
BatchSize = Annotated[
    int | None, typer.Option(min=1, max=32, metavar="N", help="Episodes to learn from.")
]
MaxRounds = Annotated[int | None, typer.Option(min=1, max=50, metavar="R", help="Rounds, at most.")]
HoldoutSize = Annotated[
    int | None, typer.Option(min=2, max=64, metavar="M", help="Episodes to test the result on.")
]
CandidateCount = Annotated[
    int | None, typer.Option(min=1, max=8, metavar="C", help="Edits to try in each round.")
]
ShuffleSeed = Annotated[int, typer.Option(help="Seed for everything that is shuffled.")]
MaxCalls = Annotated[
    int | None, typer.Option(min=0, metavar="CALLS", help="Model calls, at most; 0: no limit.")
]
MaxTokens = Annotated[
    int | None, typer.Option(min=0, metavar="TOKENS", help="Tokens, at most; 0: no limit.")
]
MaxSeconds = Annotated[
    float | None, typer.Option(min=0, metavar="SECONDS", help="Seconds, at most; 0: no limit.")
]
MaxPrice = Annotated[
    float | None, typer.Option(min=0, metavar="PRICE", help="Price, at most; 0: no limit.")
]
WithTools = Annotated[
    bool | None, typer.Option("--tools/--no-tools", help="Let simulated answers use tools.")
]
Causal = Annotated[
    bool | None, typer.Option("--causal/--no-causal", help="Hide what came after an episode.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Publish nothing.")]
AskFirst = Annotated[
    bool, typer.Option("--approve", help="Ask before publishing, whatever the settings say.")
]
UsersAtOnce = Annotated[
    int,
    typer.Option(
        min=1,
        metavar="K",
        help="With --all: users aligned at the same time (by each worker of Ray).",
    ),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="With --all: use the workers of Ray at local, auto or HOST:PORT.",
    ),
]
EnoughLabels = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="With --all: new labels that a user needs."),
]
OwnModel = Annotated[
    str | None,
    typer.Option(
        "--vllm", metavar="MODEL", help="With --ray: serve this model by vLLM on each GPU."
    ),
]
