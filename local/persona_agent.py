"""The public interface: ``from personaagent import PersonaAgent``."""

import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from personaagent.core.alignment import Alignment
from personaagent.core.answer import Answer
from personaagent.core.errors import UsageError
from personaagent.core.records import Episode, Persona, only_signal
from personaagent.core.settings import Settings, load_settings
from personaagent.local.agent import LocalAgent, open_local
from personaagent.local.alignment import Approve, OnStep
from personaagent.local.turn import TurnEvent
from personaagent.memory.exchange.exporter import export_file
from personaagent.memory.exchange.importer import Imported, import_episodes
from personaagent.memory.forget import Receipt
from personaagent.memory.persona_edits import edit_persona


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
    ) -> AsyncGenerator[TurnEvent, None]:
        """Ask once and yield what happens.

        Args:
            text: the user's message.
            user: whose memory and persona answer.
            thread: the conversation to continue, by a name of your own; None starts a new one.
            task: a label for this kind of question, stored with the episode.
            top_k: how many episodes to recall; None takes the setting.
            incognito: store nothing.

        Yields:
            Pieces of the answer (``str``), each node that finishes (``NodeFinished``), and last the
            ``Answer``.

        Raises:
            UsageError: an argument is not valid; nothing was done.
            ServiceError, ConfigurationError, DataError: the turn failed; nothing was stored.
        """
        options = _turn_options(thread=thread, task=task, top_k=top_k, incognito=incognito)
        return self._open.stream(text, user, **options)

    async def feedback(
        self,
        episode_id: str,
        *,
        user: str,
        edit: str | None = None,
        accept: bool = False,
        reject: bool = False,
    ) -> Episode:
        """Say what the user wanted: the only thing that becomes ground truth.

        Args:
            episode_id: the episode of the answer (``Answer.episode_id``).
            user: whose episode it is.
            edit: the answer that the user wanted.
            accept: the answer was right.
            reject: the answer was wrong.

        Raises:
            UsageError: not exactly one of ``edit``, ``accept`` and ``reject``; or the text is not
                valid.
            UnknownEpisode: the user has no such episode.
        """
        signal = only_signal(edit=edit is not None, accept=accept, reject=reject)
        return await self._open.memory(user).episodes.give_feedback(episode_id, signal, edit)

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

    def memory(self, user: str) -> "UserEpisodes":
        """What is remembered about the user.

        Raises:
            UsageError: the user id is not valid.
        """
        return UserEpisodes(self._open, user)

    def persona(self, user: str) -> "UserPersona":
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


@dataclass(frozen=True)
class UserEpisodes:
    """The episodes of one user; ``PersonaAgent.memory`` makes it."""

    _agent: LocalAgent
    user: str

    def __post_init__(self) -> None:
        self._agent.memory(self.user)

    async def import_file(self, path: str | Path) -> Imported:
        """Import the episodes of a file: JSON lines, or a chat export of ChatGPT or Claude.

        All of it is imported or, where it has errors, nothing. The same file again adds nothing.

        Raises:
            DataError: the file cannot be read or has errors.
        """
        return await import_episodes(self._agent.memory(self.user), Path(path))

    async def search(self, text: str, k: int | None = None) -> list[Episode]:
        """The ``k`` episodes that the agent would recall for ``text``, best first.

        Raises:
            UsageError: the text is empty or too long.
            IndexUnavailable, EmbeddingsChanged: the index cannot be searched now.
        """
        top_k = self._agent.deps.settings.top_k if k is None else k
        return await self._agent.memory(self.user).look_up(text, top_k)

    async def list(
        self, limit: int | None = None, *, task: str | None = None, labelled: bool = False
    ) -> list[Episode]:
        """The latest episodes, newest first; ``labelled``: only those with ground truth."""
        episodes = self._agent.memory(self.user).episodes
        return await episodes.newest(limit or sys.maxsize, task=task, labelled=labelled)

    async def get(self, episode_id: str) -> Episode:
        """One episode.

        Raises:
            UnknownEpisode: the user has no such episode.
        """
        return await self._agent.memory(self.user).episodes.get(episode_id)

    async def forget(self, *episode_ids: str) -> Receipt:
        """Forget episodes and all that rested on them alone; returns what went.

        Raises:
            UnknownEpisode, IndexUnavailable: nothing was forgotten.
            Conflict: the user's persona is being aligned; nothing was forgotten.
        """
        return await self._agent.forget(self.user, [*episode_ids])

    async def forget_all(self) -> Receipt:
        """Forget everything about the user; returns what went.

        Raises:
            IndexUnavailable: nothing was forgotten.
            Conflict: the user's persona is being aligned; nothing was forgotten.
        """
        return await self._agent.forget_all(self.user)

    async def export(self, path: str | Path) -> int:
        """Write all episodes as JSON lines, oldest first; returns how many there are.

        A file of that name is replaced. ``import_file`` reads it back.

        Raises:
            DataError: the file cannot be written.
        """
        return await export_file(
            self._agent.memory(self.user), Path(path), lambda done, total: None
        )


@dataclass(frozen=True)
class UserPersona:
    """The persona of one user; ``PersonaAgent.persona`` makes it.

    Versions are never changed: whatever changes the persona adds a version and returns it.
    """

    _agent: LocalAgent
    user: str

    def __post_init__(self) -> None:
        self._agent.memory(self.user)

    async def current(self) -> Persona:
        """The latest version."""
        return await self._agent.memory(self.user).personas.current()

    async def history(self) -> list[Persona]:
        """All versions, oldest first."""
        return await self._agent.memory(self.user).personas.history()

    async def edit(
        self,
        *,
        add: tuple[str, ...] | list[str] = (),
        replace: dict[str, str] | None = None,
        remove: tuple[str, ...] | list[str] = (),
    ) -> Persona:
        """Change rules by hand.

        Args:
            add: the texts of new rules.
            replace: new texts by the id of the rule.
            remove: the ids of rules to remove.

        Raises:
            UsageError: there is no such rule, or a text is not valid; nothing was changed.
        """
        personas = self._agent.memory(self.user).personas
        replaced = [*(replace or {}).items()]
        return await edit_persona(personas, added=add, replaced=replaced, removed=remove)

    async def lock(self, rule_id: str) -> Persona:
        """Lock a rule, so that alignment neither changes nor removes it.

        Raises:
            UsageError: there is no such rule.
        """
        return await self._agent.memory(self.user).personas.lock_rule(rule_id, locked=True)

    async def unlock(self, rule_id: str) -> Persona:
        """Unlock a rule.

        Raises:
            UsageError: there is no such rule.
        """
        return await self._agent.memory(self.user).personas.lock_rule(rule_id, locked=False)

    async def roll_back(self, version: int) -> Persona:
        """Return to the rules of an earlier version, as a new version.

        Raises:
            UsageError: there is no such version.
        """
        return await self._agent.memory(self.user).personas.roll_back(version)


def _turn_options(thread: str | None = None, **options: Any) -> dict[str, Any]:
    return {"thread_id": thread, **options}
