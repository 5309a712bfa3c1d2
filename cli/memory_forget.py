"""``personaagent memory forget``: episodes, and all that rested on them alone."""

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from personaagent.cli.agent_runner import known_user, run_with_agent
from personaagent.cli.memory_views import episodes_view, receipt_view
from personaagent.cli.options import AsJson, User
from personaagent.cli.output import confirm, print_notice, print_result, print_view
from personaagent.core.counting import counted
from personaagent.core.errors import UsageError
from personaagent.core.records import Episode
from personaagent.core.users import check_user_id

Fate = Literal["blank", "forget", "keep"]

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent
    from personaagent.memory.forget import Receipt
    from personaagent.memory.user import UserMemory


def forget(
    user: User,
    episodes: Annotated[
        list[str] | None, typer.Argument(metavar="ID...", help="Ids of the episodes.")
    ] = None,
    query: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Forget what is nearest to this text.")
    ] = None,
    top_k: Annotated[
        int, typer.Option(min=1, max=100, help="How many episodes, with --query.")
    ] = 1,
    everything: Annotated[
        bool, typer.Option("--all", help="Forget everything about this user.")
    ] = False,
    derived: Annotated[
        Fate,
        typer.Option(
            help="What becomes of answers that were drawn from it: blank (their text goes), "
            "forget (all of the episode goes), keep."
        ),
    ] = "blank",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Forget episodes and everything that rests on them alone; show what was forgotten.

    On a terminal, it first shows the episodes and asks. Elsewhere, --query and --all need --yes.
    """
    check_user_id(user)
    ids = list(dict.fromkeys(episodes or []))
    _check_one_choice(ids, query, everything)
    asks = not yes and (sys.stdin.isatty() or not ids)

    async def forget_chosen(agent: "LocalAgent") -> "Receipt":
        memory = await known_user(agent, user)
        chosen_ids = ids
        if asks or query is not None:
            chosen = await _choose(memory, ids, query, top_k)
            chosen_ids = [episode.id for episode in chosen]
            if asks:
                answers = [] if everything else await _answers(memory, chosen_ids)
                words = f"everything about '{user}'" if everything else ""
                _confirm(chosen, words, answers, derived, as_json)
        if everything:
            return await agent.forget_all(user)
        return await agent.forget(user, chosen_ids, derived=derived)

    print_result(run_with_agent(forget_chosen, embeddings=query is not None), as_json, receipt_view)


def show_answers(answers: list[Episode], derived: Fate) -> None:
    """Show the answers that were drawn from what is about to be forgotten, and their fate."""
    if not answers:
        return
    fate = {
        "blank": "the text of the answer goes, unless you accepted it; your words stay",
        "forget": "they are forgotten too",
        "keep": "they stay",
    }[derived]
    print_notice(f"Answers that were drawn from it ({fate}):")
    print_view(episodes_view(answers), stderr=True)


def _check_one_choice(ids: list[str], query: str | None, everything: bool) -> None:
    if [bool(ids), query is not None, everything].count(True) != 1:
        raise UsageError("Say what to forget: ids of episodes, or --query TEXT, or --all.")


async def _choose(
    memory: "UserMemory", ids: list[str], query: str | None, top_k: int
) -> list[Episode]:
    """The episodes with these ids, or nearest to the query, or all."""
    if query is not None:
        return await memory.search_with_duplicates(query, top_k)
    if ids:
        return [await memory.episodes.get(episode_id) for episode_id in ids]
    return await memory.episodes.newest(sys.maxsize)


async def _answers(memory: "UserMemory", ids: list[str]) -> list[Episode]:
    from personaagent.memory.derived import derived_from

    return await derived_from(memory, ids)


def _confirm(
    episodes: list[Episode], everything: str, answers: list[Episode], derived: Fate, as_json: bool
) -> None:
    """Show what would be forgotten, and ask.

    Args:
        episodes: what would be forgotten.
        answers: the episodes whose answers were drawn from them.
        derived: what becomes of those.
        everything: the words for all of it; empty if only the episodes would be forgotten.
        as_json: show the episodes as JSON if nobody can be asked.

    Raises:
        UsageError: the user does not say yes, or there is no terminal to ask on.
    """
    count = counted(len(episodes), "episode")
    if not sys.stdin.isatty():
        if not everything:
            print_result(episodes, as_json, episodes_view)
        raise UsageError(
            f"Nothing was forgotten yet: add --yes to forget {everything or 'these'} ({count})."
        )
    if not everything:
        print_view(episodes_view(episodes), stderr=True)
        show_answers(answers, derived)
    if not confirm(f"Forget {everything or 'this'} ({count})?"):
        raise UsageError("Nothing was forgotten.")
