"""The commands inside a chat: they begin with a slash."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rich.text import Text

from personaagent.cli import chat_memory
from personaagent.cli.chat_alignment import start_alignment
from personaagent.cli.chat_feedback import correct, mark_right, mark_wrong
from personaagent.cli.chat_input import KEYS_HELP
from personaagent.cli.chat_session import ChatSession
from personaagent.cli.output import print_notice, print_view
from personaagent.cli.tables import listing
from personaagent.core.errors import UsageError


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
    print_view(listing([(Text(usage, "cyan"), Text(help)) for usage, help in usages.items()]))
    print_view(Text(KEYS_HELP))


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
    "why": ChatCommand(
        chat_memory.show_reasons, "show what the last answer is based on: memories, profile, rules"
    ),
    "profile": ChatCommand(chat_memory.show_profile, "show what the agent knows about you"),
    "persona": ChatCommand(
        chat_memory.show_persona, "show the rules that the agent follows for you"
    ),
    "memory": ChatCommand(
        chat_memory.show_memory, f"show the newest {chat_memory.NEWEST_EPISODES} episodes"
    ),
    "forget": ChatCommand(
        chat_memory.forget, "forget the last answer, or another: #2, or its id", "[#2]"
    ),
    "undo": ChatCommand(
        chat_memory.undo, "take back the last change to memory, persona or profile"
    ),
    "export": ChatCommand(chat_memory.export, "write all episodes to a file", "FILE"),
    "align": ChatCommand(_align, "learn from your feedback while you go on chatting"),
    "incognito": ChatCommand(_incognito, "switch incognito on or off; nothing is remembered in it"),
    "help": ChatCommand(_help, "show this list"),
    "quit": ChatCommand(_quit, "end the chat (or press Ctrl-D)"),
}
