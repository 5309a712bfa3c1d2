"""``personaagent memory``: the episodes of a user, in and out and away."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from personaagent.cli.memory_views import episode_view, receipt_view
from personaagent.cli.output import AsJson, agreed, console, notice, progress, show, warn
from personaagent.cli.render import episodes_view
from personaagent.cli.run import User, known_user, run
from personaagent.core.errors import UsageError
from personaagent.core.records import Episode
from personaagent.core.users import check_user_id

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent
    from personaagent.memory.exchange.importer import Imported
    from personaagent.memory.forget import Receipt

memory_app = typer.Typer(
    help="What is remembered of a user: import, look, export, forget.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

TopK = Annotated[int | None, typer.Option(min=1, max=100, help="How many. Default: the setting.")]


@memory_app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to read.", readable=False)],
    user: User,
    as_json: AsJson = False,
) -> None:
    """Remember the episodes of a file: JSON lines, or a chat export of ChatGPT or Claude.

    A line is an object with query and response, and optionally ground_truth, signal (edit, accept
    or reject), task, created_at, id and metadata. The same file twice adds nothing.
    """
    check_user_id(user)

    async def work(agent: "LocalAgent") -> "Imported":
        from personaagent.memory.exchange.import_file import Refused
        from personaagent.memory.exchange.importer import import_episodes

        try:
            return await import_episodes(agent.memory(user), file, progress)
        except Refused as refused:
            for problem in refused.problems:
                notice(problem)
            raise

    imported = run(work, embeddings=True)
    for warning in imported.warnings:
        warn(warning)
    show(
        imported,
        as_json,
        lambda done: f"{done.added:,} episodes added, {done.skipped:,} were there already.",
    )


@memory_app.command()
def export(
    user: User,
    out: Annotated[
        Path | None,
        typer.Option(help="The file to write, replaced if it is there. Default: standard output."),
    ] = None,
) -> None:
    """Write all episodes as JSON lines, oldest first, which import reads back."""
    check_user_id(user)

    async def work(agent: "LocalAgent") -> None:
        from personaagent.memory.exchange.exporter import export_blocks, export_file

        memory = await known_user(agent, user)
        if out is not None:
            with progress("Exporting episodes") as advance:
                count = await export_file(memory, out, advance)
            notice(f"{count:,} episodes written to {out}.")
            return
        async for block, _ in export_blocks(memory):
            sys.stdout.buffer.write(block)
        sys.stdout.flush()

    run(work)


@memory_app.command("list")
def list_episodes(
    user: User,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    task: Annotated[str | None, typer.Option(help="Only those of this task.")] = None,
    labelled: Annotated[
        bool, typer.Option("--labelled", help="Only those with what the user wanted.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the latest episodes, newest first."""
    check_user_id(user)

    async def work(agent: "LocalAgent") -> list[Episode]:
        memory = await known_user(agent, user)
        return await memory.episodes.newest(sys.maxsize, task=task, labelled=labelled)

    found = run(work)
    show(found[:limit], as_json, episodes_view)
    if len(found) > limit and not as_json:
        notice(f"{len(found) - limit:,} more: --limit {len(found)} shows them too.")


@memory_app.command()
def search(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to look for.")],
    user: User,
    top_k: TopK = None,
    as_json: AsJson = False,
) -> None:
    """Show what the agent would recall for a text, the nearest first."""
    check_user_id(user)

    async def work(agent: "LocalAgent") -> list[Episode]:
        memory = await known_user(agent, user)
        return await memory.look_up(text, top_k or agent.deps.settings.top_k)

    show(run(work, embeddings=True), as_json, episodes_view)


@memory_app.command("show")
def show_episode(
    episode: Annotated[str, typer.Argument(metavar="ID", help="Id of the episode.")],
    user: User,
    as_json: AsJson = False,
) -> None:
    """Show one episode whole."""
    check_user_id(user)

    async def work(agent: "LocalAgent") -> Episode:
        return await (await known_user(agent, user)).episodes.get(episode)

    show(run(work), as_json, episode_view)


@memory_app.command()
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
        bool, typer.Option("--all", help="Forget everything of this user.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Forget episodes, with all that rested on them alone, and say what went.

    On a terminal it shows them and asks first; elsewhere --query and --all need --yes.
    """
    check_user_id(user)
    if [bool(episodes), query is not None, everything].count(True) != 1:
        raise UsageError("Say what to forget: ids of episodes, or --query TEXT, or --all.")

    async def find(agent: "LocalAgent") -> list[Episode]:
        memory = await known_user(agent, user)
        if everything:
            return await memory.episodes.newest(sys.maxsize)
        if query is not None:
            return await memory.search(query, top_k)
        return [await memory.episodes.get(each) for each in dict.fromkeys(episodes or [])]

    async def work(agent: "LocalAgent") -> "Receipt":
        await known_user(agent, user)
        return await (agent.forget_all(user) if everything else agent.forget(user, ids))

    ids = episodes or []
    asks = not yes and (sys.stdin.isatty() or not ids)
    if asks or query is not None:
        found = run(find, embeddings=query is not None)
        ids = [each.id for each in found]
        if asks:
            _confirm(found, f"everything of '{user}'" if everything else "", as_json)
    show(run(work), as_json, receipt_view)


@memory_app.command()
def reindex(user: User, as_json: AsJson = False) -> None:
    """Build the index of a user anew, as after a change of the embedding model."""
    check_user_id(user)

    async def work(agent: "LocalAgent") -> dict[str, Any]:
        memory = await known_user(agent, user)
        with progress("Indexing episodes") as advance:
            return {"indexed": await memory.indexer.rebuild(advance)}

    show(run(work, embeddings=True), as_json, lambda done: f"{done['indexed']:,} episodes indexed.")


def _confirm(found: list[Episode], everything: str, as_json: bool) -> None:
    """Show what would be forgotten, and go on only if the user says so.

    Outside the event loop: in it, Ctrl-C would not end the question.

    Raises:
        UsageError: they did not, or there is nobody to ask.
    """
    count = f"{len(found):,} {'episode' if len(found) == 1 else 'episodes'}"
    if not sys.stdin.isatty():
        if not everything:
            show(found, as_json, episodes_view)
        raise UsageError(
            f"Nothing was forgotten yet: add --yes to forget {everything or 'these'} ({count})."
        )
    if not everything:
        console(stderr=True).print(episodes_view(found))
    if not agreed(f"Forget {everything or 'this'} ({count})?"):
        raise UsageError("Nothing was forgotten.")
