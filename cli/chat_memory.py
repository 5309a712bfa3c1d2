"""What a chat shows of the memory, and forgets and exports of it."""

import asyncio
import sys
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from personaagent.cli.chat_feedback import episode_named, last_episode
from personaagent.cli.chat_input import interactive
from personaagent.cli.chat_session import ChatSession
from personaagent.cli.decision_view import decision_view
from personaagent.cli.memory_forget import show_answers
from personaagent.cli.memory_views import episodes_view, receipt_view
from personaagent.cli.output import (
    confirm,
    print_notice,
    print_view,
    printable,
)
from personaagent.cli.persona_views import describe_version, persona_view, rules_view
from personaagent.cli.profile_views import page_view, statements_view
from personaagent.cli.undo import change_view
from personaagent.core.counting import counted
from personaagent.core.errors import UsageError
from personaagent.memory.derived import derived_from
from personaagent.memory.facts import describe_facts
from personaagent.memory.profile_page import make_page, read_page
from personaagent.memory.undo import last_change
from personaagent.nodes.agent.prompt_budget import fit_statements

NEWEST_EPISODES = 10


async def show_memory(session: ChatSession, _: str) -> None:
    """The newest episodes."""
    newest = await session.agent.memory(session.user).episodes.newest(NEWEST_EPISODES)
    print_view(episodes_view(newest))


async def show_profile(session: ChatSession, _: str) -> None:
    """Facts, statements and rules on one page."""
    print_view(page_view(await read_page(session.agent.memory(session.user))))
    print_notice(
        "To mend it: personaagent profile add | edit | lock | forget, persona edit | lock."
    )


async def show_persona(session: ChatSession, _: str) -> None:
    """The rules, and where they came from."""
    personas = session.agent.memory(session.user).personas
    print_view(persona_view(await personas.current()))


async def show_reasons(session: ChatSession, _: str) -> None:
    """What the last answer rests on: all that stood in its prompt, and the tools it used."""
    answer, memory = session.last_answer, session.agent.memory(session.user)
    if answer is None:
        raise UsageError("There is no answer yet: say something first.")
    if answer.decision:
        _print_section("Decided", Text(printable(decision_view(answer.decision))))
    _print_section("Recalled for the last answer")
    print_view(episodes_view(await memory.episodes.find(answer.recalled)))
    for call in answer.tool_calls:
        arguments = ", ".join(f"{key}: {value}" for key, value in call.args.items())
        print_view(Text(printable(f"Looked up with {call.name} ({arguments})")))
    persona = await memory.personas.get(answer.persona_version)
    settings = session.agent.deps.settings
    profile = fit_statements(await memory.profile.read(), settings)
    page = await make_page(memory, profile, persona)
    if settings.show_facts and (facts := describe_facts(page.facts)):
        _print_section("Facts", Text(printable(facts)))
    if settings.show_summary and page.summary:
        evidence = {each.id: each for each in page.evidence}
        _print_section("Statements", statements_view(page.summary, evidence))
    _print_section(f"Rules of {describe_version(persona)}", rules_view(persona.rules))


async def forget(session: ChatSession, which: str) -> None:
    """Show an episode, ask, forget it, and print the receipt.

    Args:
        session: the chat.
        which: ``#2`` is the answer before the last, else an id; empty is the last answer.
    """
    name = which.removeprefix("#")
    episode_id = episode_named(session, name) if name else last_episode(session)
    episode = await session.agent.memory(session.user).episodes.get(episode_id)
    print_view(episodes_view([episode]), stderr=True)
    show_answers(await derived_from(session.agent.memory(session.user), [episode.id]), "blank")
    if not await _confirmed("Forget this, and all that rests on it alone?"):
        print_notice("Nothing was forgotten.")
        return
    receipt = await session.agent.forget(session.user, [episode.id])
    print_view(receipt_view(receipt))
    session.remembered = [id for id in session.remembered if id not in receipt.episodes]
    if session.last_answer and session.last_answer.episode_id in receipt.episodes:
        session.last_answer = None


async def undo(session: ChatSession, _: str) -> None:
    """Show the last change, ask, and take it back."""
    change = await last_change(session.agent.memory(session.user))
    print_view(change_view(change, "Last change"), stderr=True)
    if not await _confirmed("Undo this?"):
        print_notice("Nothing was undone.")
        return
    print_view(change_view(await session.agent.undo(session.user, change), "Undone"))
    personas = session.agent.memory(session.user).personas
    session.known_version = (await personas.current()).version


async def export(session: ChatSession, file: str) -> None:
    """Write all episodes to a file."""
    from personaagent.memory.exchange.exporter import export_file

    if not file:
        raise UsageError("Say where: /export FILE.")
    path = _path(file)
    memory = session.agent.memory(session.user)
    count = await export_file(memory, path, lambda done, total: None)
    print_notice(f"{counted(count, 'episode')} written to {path}.")


def _path(file: str) -> Path:
    return Path(file).expanduser()


async def _confirmed(question: str) -> bool:
    """Whether the user says yes; off a terminal, the next line of input is the answer."""
    if interactive():
        return confirm(question) is True
    print_view(Text(f"{question} [y/N]"), stderr=True)
    line = await asyncio.to_thread(sys.stdin.buffer.readline)
    return line.strip().lower() in (b"y", b"yes")


def _print_section(title: str, content: RenderableType | None = None) -> None:
    print_view(Text(title, "bold"))
    if content is not None:
        print_view(content)
