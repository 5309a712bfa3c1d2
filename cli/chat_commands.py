"""What a user can do in a chat beside talking: the commands that begin with a slash."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from personaagent.cli.chat_alignment import align_if_due, begin_alignment
from personaagent.cli.feedback import NOTED
from personaagent.cli.output import console, notice, printable
from personaagent.cli.prompt import MANY_LINES
from personaagent.cli.render import describe_version, episodes_view, persona_view, rules_view
from personaagent.core.answer import Answer
from personaagent.core.errors import UsageError
from personaagent.core.records import Signal

if TYPE_CHECKING:
    from personaagent.cli.chat import Chat

NEWEST = 10


@dataclass(frozen=True)
class Command:
    """One command: what it does with the chat and the text behind its name."""

    do: Callable[["Chat", str], Awaitable[None]]
    help: str
    argument: str = ""


async def _good(chat: "Chat", _: str) -> None:
    await _judge(chat, "accept")


async def _bad(chat: "Chat", _: str) -> None:
    await _judge(chat, "reject")


async def _fix(chat: "Chat", text: str) -> None:
    if not text:
        raise UsageError("Say what you wanted: /fix TEXT.")
    await _judge(chat, "edit", text)


async def _why(chat: "Chat", _: str) -> None:
    answer, memory = _last(chat), chat.agent.memory(chat.user)
    out = console()
    out.print(Text("Recalled for the last answer", "bold"))
    out.print(episodes_view(await memory.episodes.find(answer.recalled)))
    for call in answer.tool_calls:
        arguments = ", ".join(f"{key}: {value}" for key, value in call.args.items())
        out.print(printable(f"Looked up with {call.name} ({arguments})"))
    persona = await memory.personas.current()
    if persona.version != answer.persona_version:
        persona = await memory.personas.get(answer.persona_version)
    out.print(Text(f"Rules of {describe_version(persona)}", "bold"))
    out.print(rules_view(persona.rules))


async def _persona(chat: "Chat", _: str) -> None:
    console().print(persona_view(await chat.agent.memory(chat.user).personas.current()))


async def _memory(chat: "Chat", _: str) -> None:
    newest = await chat.agent.memory(chat.user).episodes.newest(NEWEST)
    console().print(episodes_view(newest))


async def _align(chat: "Chat", _: str) -> None:
    begin_alignment(chat.agent, chat.user)


async def _incognito(chat: "Chat", _: str) -> None:
    chat.incognito = not chat.incognito
    notice(
        "Incognito is on: nothing new is remembered, and this conversation's earlier turns are not "
        "seen; memory is still read."
        if chat.incognito
        else "Incognito is off: what you say is remembered again."
    )


async def _help(_: "Chat", __: str) -> None:
    width = max(len(f"{name} {each.argument}") for name, each in COMMANDS.items())
    for name, each in COMMANDS.items():
        console().print(Text(f"/{f'{name} {each.argument}':{width}}  {each.help}"))
    console().print(Text(MANY_LINES))


async def _quit(chat: "Chat", _: str) -> None:
    chat.over = True


COMMANDS = {
    "good": Command(_good, "the last answer was right"),
    "bad": Command(_bad, "the last answer was wrong"),
    "fix": Command(_fix, "this is what the last answer should have been", "TEXT"),
    "why": Command(_why, "what the last answer rests on: recalled episodes and rules"),
    "persona": Command(_persona, "the rules by which you are answered"),
    "memory": Command(_memory, f"the newest {NEWEST} episodes"),
    "align": Command(_align, "learn from what you wanted, beside the conversation"),
    "incognito": Command(_incognito, "remember nothing from here on; again: remember"),
    "help": Command(_help, "this list"),
    "quit": Command(_quit, "end the chat (also Ctrl-D)"),
}


async def _judge(chat: "Chat", signal: Signal, text: str | None = None) -> None:
    answer = _last(chat)
    if answer.episode_id is None:
        raise UsageError("The last answer was not remembered, so there is nothing to judge.")
    await chat.agent.memory(chat.user).episodes.give_feedback(answer.episode_id, signal, text)
    notice(f"Thank you: {NOTED[signal]}.")
    await align_if_due(chat.agent, chat.user)


def _last(chat: "Chat") -> Answer:
    if chat.last is None:
        raise UsageError("There is no answer yet: say something first.")
    return chat.last
