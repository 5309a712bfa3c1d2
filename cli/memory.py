"""``personaagent memory``: import, list, search, export and forget the episodes of a user."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from personaagent.cli.agent_runner import known_user, run_with_agent
from personaagent.cli.memory_forget import forget
from personaagent.cli.memory_forgotten import forgotten
from personaagent.cli.memory_import import naming_problems, preview_file
from personaagent.cli.memory_import_views import import_view, to_summarise_view
from personaagent.cli.memory_irrelevant import irrelevant
from personaagent.cli.memory_keep import keep
from personaagent.cli.memory_supersede import supersede
from personaagent.cli.memory_views import (
    episode_view,
    episodes_view,
)
from personaagent.cli.options import AsJson, User
from personaagent.cli.output import print_notice, print_result, print_warning, progress_bar
from personaagent.cli.streams import reader_gone
from personaagent.core.counting import counted
from personaagent.core.records import Episode
from personaagent.core.users import check_user_id

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent
    from personaagent.memory.exchange.importer import Imported

memory_app = typer.Typer(
    help="The episodes of a user: import, list, search, export, forget.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

TopK = Annotated[
    int | None, typer.Option(min=1, max=100, help="How many. Default: the setting top_k.")
]


@memory_app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to read.", readable=False)],
    user: User,
    include_forgotten: Annotated[
        bool, typer.Option("--include-forgotten", help="Bring back what you have forgotten.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be added, and what not.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import the episodes of a file: JSON lines, or another assistant's export, as it was downloaded.

    Each line is an object with query and response, and optionally ground_truth, signal (edit,
    accept or reject), task, created_at, id and metadata. Of an export, what can be read is added,
    and the rest is named. Importing a file twice adds nothing, and what you have forgotten is left
    out.
    """
    check_user_id(user)
    if dry_run:
        preview_file(file, user, as_json=as_json)
        return

    async def import_episodes_of(agent: "LocalAgent") -> "Imported":
        from personaagent.memory.exchange.importer import import_episodes

        with naming_problems():
            return await import_episodes(
                agent.memory(user), file, progress_bar, include_forgotten=include_forgotten
            )

    imported = run_with_agent(import_episodes_of, embeddings=True)
    for warning in imported.warnings:
        print_warning(warning)
    print_result(imported, as_json, import_view)
    if not as_json and (unread := to_summarise_view(imported)):
        print_notice(unread)


@memory_app.command()
def export(
    user: User,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The file to write; it is replaced if it exists. Default: standard output."
        ),
    ] = None,
) -> None:
    """Write all episodes as JSON lines, oldest first; `memory import` reads them."""
    check_user_id(user)

    async def write_episodes(agent: "LocalAgent") -> None:
        from personaagent.memory.exchange.exporter import export_blocks, export_file

        memory = await known_user(agent, user)
        if out is not None:
            with progress_bar("Exporting episodes") as advance:
                count = await export_file(memory, out, advance)
            print_notice(f"{counted(count, 'episode')} written to {out}.")
            return
        async for block, _ in export_blocks(memory):
            sys.stdout.buffer.write(block)
            if reader_gone():
                break

    run_with_agent(write_episodes)


@memory_app.command("list")
def list_episodes(
    user: User,
    limit: Annotated[int, typer.Option(min=1, help="How many, at most.")] = 20,
    task: Annotated[str | None, typer.Option(help="Only episodes of this task.")] = None,
    labelled: Annotated[
        bool, typer.Option("--labelled", help="Only episodes with ground truth.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the latest episodes, newest first."""
    check_user_id(user)

    async def read_episodes(agent: "LocalAgent") -> list[Episode]:
        memory = await known_user(agent, user)
        return await memory.episodes.newest(sys.maxsize, task=task, labelled=labelled)

    episodes = run_with_agent(read_episodes)
    print_result(episodes[:limit], as_json, episodes_view)
    if len(episodes) > limit and not as_json:
        print_notice(f"{len(episodes) - limit:,} more: --limit {len(episodes)} shows them too.")


@memory_app.command()
def search(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to look for.")],
    user: User,
    top_k: TopK = None,
    as_json: AsJson = False,
) -> None:
    """Show what the agent would recall for a text, nearest first."""
    check_user_id(user)

    async def recall(agent: "LocalAgent") -> list[Episode]:
        memory = await known_user(agent, user)
        return await memory.search(text, top_k or agent.deps.settings.top_k)

    print_result(run_with_agent(recall, embeddings=True), as_json, episodes_view)


@memory_app.command("show")
def show_episode(
    episode: Annotated[str, typer.Argument(metavar="ID", help="Id of the episode.")],
    user: User,
    as_json: AsJson = False,
) -> None:
    """Show all fields of one episode."""
    check_user_id(user)

    async def read_episode(agent: "LocalAgent") -> Episode:
        return await (await known_user(agent, user)).episodes.get(episode)

    print_result(run_with_agent(read_episode), as_json, episode_view)


memory_app.command()(supersede)
memory_app.command()(keep)
memory_app.command()(irrelevant)
memory_app.command()(forget)
memory_app.command()(forgotten)


@memory_app.command()
def reindex(user: User, as_json: AsJson = False) -> None:
    """Rebuild the index of a user, for example after you changed the embedding model; pack the files."""
    check_user_id(user)

    async def rebuild_index(agent: "LocalAgent") -> dict[str, Any]:
        memory = await known_user(agent, user)
        with progress_bar("Indexing episodes") as advance:
            indexed = await memory.indexer.rebuild(advance)
        await agent.pack()
        return {"indexed": indexed}

    indexed = run_with_agent(rebuild_index, embeddings=True)
    print_result(
        indexed, as_json, lambda counts: f"{counted(counts['indexed'], 'episode')} indexed."
    )
