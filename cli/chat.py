"""``personaagent chat``: a conversation."""

import asyncio
import re
import signal
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from personaagent.cli.agent_runner import run_with_agent
from personaagent.cli.ask import summary
from personaagent.cli.chat_alignment import align_if_due
from personaagent.cli.chat_input import interactive, read_messages
from personaagent.cli.chat_session import ChatSession
from personaagent.cli.options import Reasoning, Thread, User
from personaagent.cli.output import print_error, print_notice, print_warning
from personaagent.cli.streams import reader_gone
from personaagent.core.errors import PersonaAgentError
from personaagent.core.ids import short_id
from personaagent.core.records import new_id
from personaagent.core.users import check_user_id

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent

T = TypeVar("T")
EARLIER_MESSAGES = 200
"""The user's own messages that the arrow keys bring back."""
ASKS_ABOUT_ITSELF = re.compile(r"\bwhat\b.*\b(know|remember) (of|about) me\b", re.IGNORECASE)


def chat(user: User, thread: Thread = None, reasoning: Reasoning = False) -> None:
    """Talk with the agent; /help inside lists what you can do there."""
    check_user_id(user)

    async def talk(agent: "LocalAgent") -> None:
        name = await agent.conversation_named(user, thread) if thread else new_id()
        await hold_conversation(ChatSession(agent, user, name, reasoning=reasoning))

    run_with_agent(talk, role="all", embeddings=True)


async def hold_conversation(session: ChatSession) -> None:
    """Handle one line after the other until the user leaves, or the reader of the answers.

    An error does not end the chat.
    """
    from personaagent.cli.chat_commands import CHAT_COMMANDS

    agent, user = session.agent, session.user
    if interactive():
        model = agent.deps.models.describe("actor")
        print_notice(f"{model} answers {user}. Type /help for the commands; Ctrl-D ends the chat.")
    newest = await agent.memory(user).episodes.newest(EARLIER_MESSAGES)
    earlier = [episode.query for episode in reversed(newest)]
    commands = {name: each.help for name, each in CHAT_COMMANDS.items()}
    async for line in read_messages(earlier, commands):
        try:
            await handle_line(session, line)
        except PersonaAgentError as error:
            print_error(str(error))
        if session.ended or reader_gone():
            break
    if interactive() and session.last_answer:
        print_notice(f"To continue this conversation later: --thread {short_id(session.thread)}")


async def handle_line(session: ChatSession, line: str) -> None:
    """Run the command that the user typed, or answer their message.

    Raises:
        PersonaAgentError: the command or the turn failed; the chat can go on.
    """
    from personaagent.cli.chat_commands import run_chat_command

    if session.known_version is None:
        persona = await session.agent.memory(session.user).personas.current()
        session.known_version = persona.version
    if line.startswith("/"):
        await run_chat_command(session, line)
    elif line.strip():
        await _answer(session, line.strip())
        await align_if_due(session.agent, session.user)


async def _answer(session: ChatSession, message: str) -> None:
    from personaagent.cli.answer_stream import print_answer

    events = session.agent.stream(
        message,
        session.user,
        thread_id=session.thread,
        incognito=session.incognito,
        reasoning=session.reasoning,
    )
    answer = await _until_interrupted(print_answer(events))
    if answer is None:
        print_notice("Stopped: this turn is not remembered.")
        return
    for warning in answer.warnings:
        print_warning(warning)
    if session.known_version != answer.persona_version:
        print_notice(f"Your persona is now at version {answer.persona_version}: /persona shows it.")
    if interactive():
        print_notice(summary(answer))
    if ASKS_ABOUT_ITSELF.search(message):
        print_notice("/profile shows all that I know about you, and where it is from.")
    session.last_answer, session.known_version = answer, answer.persona_version
    if answer.episode_id is not None:
        session.remembered.append(answer.episode_id)


async def _until_interrupted(turn: Coroutine[Any, Any, T]) -> T | None:
    """Await the turn; return None if Ctrl-C stopped it. Ctrl-C stops nothing else."""
    task = asyncio.ensure_future(turn)
    previous_handler = signal.getsignal(signal.SIGINT)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return None
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, previous_handler)
