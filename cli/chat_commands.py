"""The commands inside a chat: they begin with a slash."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rich.text import Text

from personaagent.cli.chat_alignment import start_alignment
from personaagent.cli.chat_feedback import correct, mark_right, mark_wrong
from personaagent.cli.chat_input import KEYS_HELP
from personaagent.cli.chat_session import ChatSession
from personaagent.cli.memory_views import episodes_view
from personaagent.cli.output import console, print_notice, printable
from personaagent.cli.persona_views import describe_version, persona_view, rules_view
from personaagent.core.answer import Answer
from personaagent.core.errors import UsageError

NEWEST_EPISODES = 10


@dataclass(frozen=True)
class ChatCommand:
    """What a command does with the chat and the text behind its name, and its line of help."""

    action: Callable[[ChatSession, str], Awaitable[None]]
    help: str
    argument: str = ""


async def run_chat_command(session: ChatSession, line: str) -> None:
    """Run the command in ``line``, which begins with a slash.

    Raises:
        UsageError: there is no such command.
        PersonaAgentError: the command failed.
    """
    name, _, argument = line[1:].strip().partition(" ")
    if name not in CHAT_COMMANDS:
        raise UsageError(
            f"There is no command /{name}: /help lists the commands. To send a message that begins "
            "with /, put a space before it."
        )
    await CHAT_COMMANDS[name].action(session, argument.strip())


async def _why(session: ChatSession, _: str) -> None:
    answer, memory = _last_answer(session), session.agent.memory(session.user)
    out = console()
    out.print(Text("Recalled for the last answer", "bold"))
    out.print(episodes_view(await memory.episodes.find(answer.recalled)))
    for call in answer.tool_calls:
        arguments = ", ".join(f"{key}: {value}" for key, value in call.args.items())
        out.print(printable(f"Looked up with {call.name} ({arguments})"))
    persona = await memory.personas.get(answer.persona_version)
    out.print(Text(f"Rules of {describe_version(persona)}", "bold"))
    out.print(rules_view(persona.rules))


async def _persona(session: ChatSession, _: str) -> None:
    personas = session.agent.memory(session.user).personas
    console().print(persona_view(await personas.current()))


async def _memory(session: ChatSession, _: str) -> None:
    newest = await session.agent.memory(session.user).episodes.newest(NEWEST_EPISODES)
    console().print(episodes_view(newest))


async def _align(session: ChatSession, _: str) -> None:
    start_alignment(session.agent, session.user)


async def _incognito(session: ChatSession, _: str) -> None:
    session.incognito = not session.incognito
    print_notice(
        "Incognito is on: the agent remembers nothing new and does not see the earlier turns of "
        "this conversation. It still reads your memory."
        if session.incognito
        else "Incognito is off: the agent remembers what you say again."
    )


async def _help(_: ChatSession, __: str) -> None:
    usages = {f"/{name} {each.argument}": each.help for name, each in CHAT_COMMANDS.items()}
    width = max(map(len, usages))
    for usage, description in usages.items():
        console().print(Text(f"{usage:{width}}  {description}"))
    console().print(Text(KEYS_HELP))


async def _quit(session: ChatSession, _: str) -> None:
    session.ended = True


CHAT_COMMANDS = {
    "good": ChatCommand(mark_right, "mark the last answer as right; #2: the one before it", "[#2]"),
    "bad": ChatCommand(
        mark_wrong, "mark the last answer as wrong, or another: #2, or its id", "[#2]"
    ),
    "fix": ChatCommand(
        correct, "give the answer that you wanted instead of the last one", "[#2] TEXT"
    ),
    "why": ChatCommand(_why, "show what the last answer is based on: recalled episodes and rules"),
    "persona": ChatCommand(_persona, "show the rules that the agent follows for you"),
    "memory": ChatCommand(_memory, f"show the newest {NEWEST_EPISODES} episodes"),
    "align": ChatCommand(_align, "learn from your feedback while you go on chatting"),
    "incognito": ChatCommand(_incognito, "switch incognito on or off; nothing is remembered in it"),
    "help": ChatCommand(_help, "show this list"),
    "quit": ChatCommand(_quit, "end the chat (or press Ctrl-D)"),
}


def _last_answer(session: ChatSession) -> Answer:
    if session.last_answer is None:
        raise UsageError("There is no answer yet: say something first.")
    return session.last_answer
