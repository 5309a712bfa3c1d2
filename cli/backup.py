"""``personaagent backup`` and ``restore``: one user's memory in one file."""

import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from personaagent.cli.agent_runner import known_user, run_with_agent
from personaagent.cli.options import AsJson, User
from personaagent.cli.output import confirm, print_notice, print_result, print_warning, progress_bar
from personaagent.core.counting import counted
from personaagent.core.errors import UsageError
from personaagent.core.users import check_user_id

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent
    from personaagent.memory.archive.layout import Manifest
    from personaagent.memory.archive.restore import Restored

VARIABLE = "PERSONAAGENT_PASSPHRASE"
"""The environment variable; a passphrase on the command line would stand in its history."""
OUTCOMES = {
    "restored": "restored",
    "the same": "was the same already",
    "kept": "kept as it is here, because both have changed",
}


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The archive to write.")],
    user: User,
    encrypt: Annotated[
        bool,
        typer.Option("--encrypt", help=f"Ask for a passphrase, or take it from {VARIABLE}."),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a user's whole memory to one file; `restore` reads it.

    It is a zip of JSON and Markdown: episodes, labels, the persona with all versions, the profile.
    Conversations stay where they are, and so do keys and passwords.
    """
    check_user_id(user)
    passphrase = _new_passphrase() if encrypt else None

    async def write(agent: "LocalAgent") -> "Manifest":
        from personaagent.memory.archive.writer import backup_file

        memory, settings = await known_user(agent, user), agent.deps.settings
        return await backup_file(memory, settings, file, passphrase=passphrase, replace=force)

    def describe(manifest: "Manifest") -> str:
        episodes = counted(manifest.counts["episodes.jsonl"], "episode")
        return f"{episodes}, persona and profile of '{user}' written to {file}."

    print_result(run_with_agent(write), as_json, describe)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An archive of `backup`.")],
    user: Annotated[
        str | None,
        typer.Option("--user", "-u", help="Whose memory it becomes. Default: the archived user's."),
    ] = None,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace", help="Forget everything about the user first. Default: add to it."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring back what `backup` wrote, here or on another machine.

    The whole file is checked first. What the user has here stays, unless you say --replace. What
    they have forgotten here does not come back; `memory forget --all` first brings it back too.
    """
    if user is not None:
        check_user_id(user)
    if replace and not yes and not sys.stdin.isatty():
        raise UsageError("Nothing was changed yet: add --yes to replace what is there.")
    passphrase = _passphrase_of(file)

    async def read(agent: "LocalAgent") -> "Restored":
        from personaagent.local.moving import restore_user

        if replace and not yes:
            whose = f"of '{user}'" if user else "of the archived user"
            if not confirm(f"Forget everything {whose} that is here, and restore {file}?"):
                raise UsageError("Nothing was changed.")
        return await restore_user(
            agent, file, user, passphrase=passphrase, replace=replace, progress=progress_bar
        )

    restored = run_with_agent(read, embeddings=True)
    for warning in restored.warnings:
        print_warning(warning)
    print_result(restored, as_json, restored_view)
    for name, (archived, here) in restored.settings.items():
        print_notice(
            f"The setting {name} was {_shown(archived)} there, and is {_shown(here)} here."
        )


def restored_view(restored: "Restored") -> Text:
    """What a restore did, for a person."""
    profile = OUTCOMES[restored.profile]
    if restored.profile == "kept":
        profile += f"; {counted(restored.statements, 'statement')} added"
    forgotten = ""
    if restored.forgotten:
        forgotten = f" You have forgotten {restored.forgotten:,} of them here: left out."
    added, skipped = counted(restored.added, "episode"), counted(restored.skipped, "was", "were")
    return Text(
        f"'{restored.user}': {added} added, {skipped} there already.{forgotten} "
        f"Persona {OUTCOMES[restored.persona]} (version {restored.version}). Profile {profile}."
    )


def _shown(value: Any) -> str:
    return "not set" if value is None else str(value)


def _new_passphrase() -> str:
    """The passphrase to encrypt with, asked twice.

    Raises:
        UsageError: there is none, or the two differ.
    """
    if passphrase := os.environ.get(VARIABLE):
        return passphrase
    if not sys.stdin.isatty():
        raise UsageError(f"Without a terminal nobody can type a passphrase: set {VARIABLE}.")
    passphrase = getpass.getpass("Passphrase: ")
    if not passphrase or passphrase != getpass.getpass("Once more: "):
        raise UsageError("The two passphrases differ, or are empty: nothing was written.")
    return passphrase


def _passphrase_of(file: Path) -> str | None:
    """The passphrase of an encrypted archive; None for another file."""
    from personaagent.memory.archive.encryption import AGE, is_encrypted

    try:
        with file.open("rb") as opened:
            if not is_encrypted(opened.read(len(AGE))):
                return None
    except OSError:
        return None  # whoever opens it says what is wrong
    if passphrase := os.environ.get(VARIABLE):
        return passphrase
    if not sys.stdin.isatty():
        raise UsageError(f"The archive is encrypted: set {VARIABLE} to its passphrase.")
    return getpass.getpass("Passphrase: ")
