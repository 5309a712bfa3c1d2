"""``personaagent align``: a persona that learns from what the user wanted."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from personaagent.cli.alignment_progress import AlignmentProgress
from personaagent.cli.output import AsJson, agreed, console, show, warn
from personaagent.cli.run import known_user, run
from personaagent.core.errors import Conflict, UsageError
from personaagent.core.settings import Mode, Sampling, load_settings
from personaagent.core.text import check_text
from personaagent.core.users import check_user_id

if TYPE_CHECKING:
    from personaagent.core.alignment import Alignment
    from personaagent.core.records import Episode
    from personaagent.local.agent import LocalAgent

QUERY_CHARS = 32_000


def align(
    user: Annotated[
        str | None, typer.Option("--user", "-u", help="Whose persona.", show_default=False)
    ] = None,
    everyone: Annotated[
        bool, typer.Option("--all", help="Every user with enough new labels.")
    ] = False,
    mode: Annotated[Mode, typer.Option(help="gated, or Algorithm 1 of the paper.")] = "gated",
    sampling: Annotated[Sampling | None, typer.Option(help="Which episodes to learn from.")] = None,
    query: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Learn from those similar to this text.")
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, max=32, metavar="N", help="Episodes to learn from.")
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(min=1, max=50, metavar="R", help="Rounds, at most.")
    ] = None,
    holdout: Annotated[
        int | None, typer.Option(min=2, max=64, metavar="M", help="Episodes to prove it on.")
    ] = None,
    candidates: Annotated[
        int | None, typer.Option(min=1, max=8, metavar="C", help="Edits tried in a round.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides what is shuffled.")] = 0,
    budget_calls: Annotated[
        int | None, typer.Option(min=0, metavar="CALLS", help="Model calls, at most; 0: any.")
    ] = None,
    budget_tokens: Annotated[
        int | None, typer.Option(min=0, metavar="TOKENS", help="Tokens, at most; 0: any.")
    ] = None,
    budget_seconds: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="Seconds, at most; 0: any.")
    ] = None,
    budget_price: Annotated[
        float | None, typer.Option(min=0, metavar="PRICE", help="Price, at most; 0: any.")
    ] = None,
    tools: Annotated[
        bool | None, typer.Option("--tools/--no-tools", help="Simulate with tools.")
    ] = None,
    causal: Annotated[
        bool | None,
        typer.Option("--causal/--no-causal", help="Hide what came after an episode."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Publish nothing.")] = False,
    approve: Annotated[
        bool, typer.Option("--approve", help="Ask before publishing, whatever the settings say.")
    ] = False,
    users_at_once: Annotated[
        int, typer.Option(min=1, metavar="K", help="With --all: users aligned side by side.")
    ] = 4,
    after: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="With --all: new labels that are enough."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Learn from what the user wanted; publish what is proved better.

    What is left out is as the settings say: `personaagent config` shows them.
    """
    if everyone is (user is not None):
        raise UsageError("Say whose persona: --user NAME, or --all.")
    if query is not None:
        check_text(query, "query", QUERY_CHARS)
        sampling = sampling or "similar"
    options: dict[str, Any] = {
        "mode": mode,
        "sampling": sampling,
        "query": query or "",
        "batch": batch,
        "rounds": rounds,
        "holdout": holdout,
        "candidates": candidates,
        "seed": seed,
        "calls": budget_calls,
        "tokens": budget_tokens,
        "seconds": budget_seconds,
        "price": budget_price,
        "tools": tools,
        "causal": causal,
        "dry_run": dry_run,
    }
    if user is not None:
        asks = approve or load_settings().approval == "ask"
        _align_one(check_user_id(user), options, asks, as_json)
        return
    if approve:
        raise UsageError("--approve asks about one persona: give --user NAME in place of --all.")
    from personaagent.cli.align_all import align_all

    align_all(options, users_at_once, after or load_settings().align_after or 1, as_json)


def _align_one(user: str, options: dict[str, Any], approve: bool, as_json: bool) -> None:
    async def work(agent: "LocalAgent") -> "tuple[Alignment, list[Episode]]":
        memory = await known_user(agent, user)
        with AlignmentProgress() as progress:

            async def ask(question: dict[str, Any]) -> bool:
                progress.stop()
                return _approved(question)

            result = await agent.align(
                user, trigger="cli", approve=ask if approve else None, on_step=progress, **options
            )
        return result, await memory.episodes.find([pair.episode for pair in result.pairs])

    result, episodes = run(work, role="all", embeddings=True)
    from personaagent.cli.alignment_views import alignment_view

    refused = result.warnings[-1] if result.stopped_by == "conflict" else None
    for warning in result.warnings:
        if warning != refused:
            warn(warning)
    show(result, as_json, lambda done: alignment_view(done, episodes, options["dry_run"]))
    if refused:
        raise Conflict(refused)


def _approved(question: dict[str, Any]) -> bool:
    """Show what would be published, and ask.

    Raises:
        UsageError: there was no answer.
    """
    from personaagent.cli.alignment_views import proposal_view

    console(stderr=True).print(proposal_view(question))
    if (answer := agreed(question["question"])) is None:
        raise UsageError(
            "Nothing was published, for want of an answer: the same command asks again."
        )
    return answer
