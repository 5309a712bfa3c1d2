"""``personaagent chat``: a conversation."""

import asyncio
import signal
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from personaagent.cli.ask import Thread, summary
from personaagent.cli.chat_alignment import align_if_due
from personaagent.cli.chat_commands import COMMANDS
from personaagent.cli.output import complain, notice, warn
from personaagent.cli.prompt import interactive, messages
from personaagent.cli.run import User, run
from personaagent.core.answer import Answer
from personaagent.core.errors import PersonaAgentError, UsageError
from personaagent.core.records import new_id
from personaagent.core.users import check_user_id

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent

T = TypeVar("T")
EARLIER = 200


def chat(user: User, thread: Thread = None) -> None:
    """Talk with the agent; /help inside lists what you can do there."""
    check_user_id(user)
    run(lambda agent: Chat(agent, user, thread or new_id()).talk(), role="all", embeddings=True)


@dataclass
class Chat:
    """A conversation going on: with whom, and the answer that was given last.

    ``version`` is the version of the persona that the user has been told of.
    """

    agent: "LocalAgent"
    user: str
    thread: str
    incognito: bool = False
    last: Answer | None = None
    version: int | None = None
    over: bool = False

    async def talk(self) -> None:
        """Answer message after message, until the user has enough; a failed turn ends nothing."""
        if interactive():
            model = self.agent.deps.models.describe("actor")
            notice(f"{model} answers {self.user}. /help lists the commands, Ctrl-D ends.")
        newest = await self.agent.memory(self.user).episodes.newest(EARLIER)
        async for text in messages([episode.query for episode in reversed(newest)]):
            try:
                await self.take(text)
            except PersonaAgentError as error:
                complain(str(error))
            if self.over:
                break
        if interactive() and self.last:
            notice(f"To go on with this conversation later: --thread {self.thread}")

    async def take(self, text: str) -> None:
        """What the user typed: a command, or a message that is answered.

        Raises:
            PersonaAgentError: the command or the turn failed; the chat can go on.
        """
        if self.version is None:
            self.version = (await self.agent.memory(self.user).personas.current()).version
        if text.startswith("/"):
            name, _, argument = text[1:].strip().partition(" ")
            if name not in COMMANDS:
                raise UsageError(
                    f"There is no command /{name}: /help lists them. A message that is to begin "
                    "with / needs a space before it."
                )
            await COMMANDS[name].do(self, argument.strip())
        elif text.strip():
            await self._say(text.strip())
            await align_if_due(self.agent, self.user)

    async def _say(self, text: str) -> None:
        from personaagent.cli.turn import print_turn

        events = self.agent.stream(text, self.user, thread_id=self.thread, incognito=self.incognito)
        answer = await _until_interrupted(print_turn(events))
        if answer is None:
            notice("Stopped: this turn does not become an episode.")
            return
        for warning in answer.warnings:
            warn(warning)
        if self.version != answer.persona_version:
            notice(f"Your persona is now at version {answer.persona_version}: /persona shows it.")
        if interactive():
            notice(summary(answer))
        self.last, self.version = answer, answer.persona_version


async def _until_interrupted(work: Coroutine[Any, Any, T]) -> T | None:
    """What ``work`` returns; None where Ctrl-C stopped it, which stops nothing else."""
    task = asyncio.ensure_future(work)
    before = signal.getsignal(signal.SIGINT)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return None
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)
