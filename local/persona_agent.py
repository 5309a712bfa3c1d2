"""The public interface: ``from personaagent import PersonaAgent``.

Importing it loads next to nothing. The first ``async with PersonaAgent()`` loads what a turn needs.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from personaagent.core.errors import UsageError
from personaagent.local.user_data import UserEpisodes, UserPersona
from personaagent.local.user_profile import UserProfile

if TYPE_CHECKING:
    from personaagent.core.alignment import Alignment
    from personaagent.core.answer import Answer
    from personaagent.core.records import Episode
    from personaagent.core.settings import Settings
    from personaagent.local.agent import LocalAgent
    from personaagent.local.alignment import Approve, OnStep
    from personaagent.local.turn_events import TurnEvent
    from personaagent.memory.archive.restore import Restored


class PersonaAgent:
    """The agent on this machine. Use it as an async context manager.

        async with PersonaAgent() as agent:
            answer = await agent.ask("What is my dog called?", user="ana")

    Every call names its user and reaches that user's memory only.

    Args:
        settings: where memory is kept and which models answer. None reads the environment and
            ``config.toml`` of the data folder.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._agent: LocalAgent | None = None

    async def __aenter__(self) -> Self:
        """Open the data folder; it is made if need be.

        Raises:
            ConfigurationError: a setting is not valid.
            DataError: the data folder cannot be used.
        """
        from personaagent.core.settings import load_settings
        from personaagent.local.agent import open_local

        opened = open_local(self._settings or load_settings())
        self._agent = await self._stack.enter_async_context(opened)
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait for summaries that are being written, and close everything."""
        self._agent = None
        await self._stack.__aexit__(error_type, error, traceback)

    async def ask(self, text: str, *, user: str, **options: Any) -> Answer:
        """Ask once. The turn becomes an episode of the user.

        Args:
            text: the user's message.
            user: whose memory and persona answer: 1 to 128 characters.
            options: as of ``stream``.

        Raises:
            UsageError: an argument is not valid; nothing was done.
            ServiceError, ConfigurationError, DataError: the turn failed; nothing was stored.
        """
        return await self._open.ask(text, user, **_turn_options(**options))

    def stream(
        self,
        text: str,
        *,
        user: str,
        thread: str | None = None,
        task: str | None = None,
        top_k: int | None = None,
        incognito: bool = False,
        answers: Sequence[str] = (),
        reasoning: bool = False,
    ) -> AsyncGenerator[TurnEvent, None]:
        """Ask once and yield what happens.

        Args:
            text: the user's message.
            user: whose memory and persona answer.
            thread: the conversation to continue, by a name of your own; None starts a new one.
            task: a label for this kind of question, stored with the episode.
            top_k: how many episodes to recall; None takes the setting.
            incognito: store nothing.
            answers: the only possible answers, at least two: ``Answer.decision`` then says how
                probable each is. Empty for any text.
            reasoning: yield the model's reasoning too; it is never remembered.

        Yields:
            Pieces of the answer (``str``) and of reasoning (``Reasoning``), each node that finishes
            (``NodeFinished``), and last the ``Answer``. After ``TakenBack`` the answer begins again.

        Raises:
            UsageError: an argument is not valid; nothing was done.
            ServiceError, ConfigurationError, DataError: the turn failed; nothing was stored.
        """
        options = _turn_options(
            thread=thread,
            task=task,
            top_k=top_k,
            incognito=incognito,
            answers=answers,
            reasoning=reasoning,
        )
        return self._open.stream(text, user, **options)

    async def feedback(
        self,
        episode_id: str,
        *,
        user: str,
        edit: str | None = None,
        accept: bool = False,
        reject: bool = False,
        force: bool = False,
    ) -> Episode:
        """Say what the user wanted: the only thing that becomes ground truth.

        A correction (``edit``) stays until another is given: ``accept`` then accepts it.

        Args:
            episode_id: the episode of the answer (``Answer.episode_id``).
            user: whose episode it is.
            edit: the answer that the user wanted.
            accept: the answer was right.
            reject: the answer was wrong.
            force: with ``accept`` or ``reject``: drop the correction that was given before.

        Raises:
            UsageError: not exactly one of ``edit``, ``accept`` and ``reject``; or the text is not
                valid; or a ``reject`` without ``force`` would drop a correction.
            UnknownEpisode: the user has no such episode.
        """
        from personaagent.core.records import only_signal

        signal = only_signal(edit=edit is not None, accept=accept, reject=reject)
        episodes = self._open.memory(user).episodes
        return await episodes.give_feedback(episode_id, signal, edit, force=force)

    async def align(
        self,
        *,
        user: str,
        approve: Approve | None = None,
        on_step: OnStep | None = None,
        **options: Any,
    ) -> Alignment:
        """Learn from what the user wanted. A new persona is published only if it is proved better.

        A run that was killed is resumed.

        Args:
            user: whose persona.
            approve: an async function that is shown the proposal and returns True or False; None
                publishes without asking.
            on_step: a function that is called after every step.
            options: ``mode``, ``sampling``, ``query``, ``batch``, ``holdout``, ``rounds``,
                ``candidates``, ``seed``, ``tools``, ``causal``, ``calls``, ``tokens``, ``seconds``,
                ``price`` and ``dry_run``, as of ``personaagent align``.

        Raises:
            UsageError: an option is not valid; nothing was done.
            Conflict: another alignment of the user is running; nothing was done.
            ServiceError, ConfigurationError, DataError: the run failed; nothing was changed.
        """
        return await self._open.align(user, approve=approve, on_step=on_step, **options)

    async def backup(
        self, user: str, path: str | Path, *, passphrase: str | None = None, replace: bool = False
    ) -> int:
        """Write all that is remembered about the user to one file; returns the number of episodes.

        Args:
            user: whose memory.
            path: the file to write: a zip of JSON and Markdown.
            passphrase: encrypt it (age); needs the extra ``encryption``.
            replace: replace a file of that name.

        Raises:
            UsageError: there is a file of that name; nothing was written.
            DataError: it cannot be written.
        """
        from personaagent.memory.archive.layout import EPISODES
        from personaagent.memory.archive.writer import backup_file

        memory, settings = self._open.memory(user), self._open.deps.settings
        manifest = await backup_file(
            memory, settings, Path(path), passphrase=passphrase, replace=replace
        )
        return manifest.counts[EPISODES]

    async def restore(
        self,
        path: str | Path,
        *,
        user: str | None = None,
        passphrase: str | None = None,
        replace: bool = False,
    ) -> Restored:
        """Bring back what ``backup`` wrote, here or on another machine.

        Args:
            path: the file.
            user: whose memory it becomes; None: the user's whose it was.
            passphrase: that of an encrypted file.
            replace: forget everything about the user first; otherwise what is there stays.

        Raises:
            DataError: the file is damaged, or is no such file; nothing was changed.
            Conflict: the user's persona is being aligned; nothing was changed.
        """
        from personaagent.local.moving import restore_user

        return await restore_user(
            self._open, Path(path), user, passphrase=passphrase, replace=replace
        )

    def memory(self, user: str) -> UserEpisodes:
        """What is remembered about the user.

        Raises:
            UsageError: the user id is not valid.
        """
        return UserEpisodes(self._open, user)

    def profile(self, user: str) -> UserProfile:
        """What is known about the user: facts and statements.

        Raises:
            UsageError: the user id is not valid.
        """
        return UserProfile(self._open, user)

    def persona(self, user: str) -> UserPersona:
        """The rules by which the user is answered, and their versions.

        Raises:
            UsageError: the user id is not valid.
        """
        return UserPersona(self._open, user)

    @property
    def _open(self) -> LocalAgent:
        if self._agent is None:
            raise UsageError("The agent is not open: use `async with PersonaAgent() as agent`.")
        return self._agent


def _turn_options(thread: str | None = None, **options: Any) -> dict[str, Any]:
    return {"thread_id": thread, **options}
