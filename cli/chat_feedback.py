"""Feedback inside a chat: on the last answer, on an earlier one (``#2``), or by an episode's id."""

import re

from personaagent.cli.chat_alignment import align_if_due, tell_missing_labels
from personaagent.cli.chat_session import ChatSession
from personaagent.cli.feedback import describe_feedback
from personaagent.cli.output import print_notice
from personaagent.core.errors import UsageError
from personaagent.core.records import Signal

FORCE = "force"
_NAMED = re.compile(r"#(\d{1,3}|[0-9a-f][0-9a-f-]{3,35})(?:\s+(.*))?", re.DOTALL)
"""A text may begin with # too: only a number or an id of ours names an answer."""
_BACK = re.compile(r"\d{1,3}")


async def mark_right(session: ChatSession, argument: str) -> None:
    """``/good [#2 | ID] [force]``: the answer was right."""
    await _judge(session, argument, "accept")


async def mark_wrong(session: ChatSession, argument: str) -> None:
    """``/bad [#2 | ID] [force]``: the answer was wrong."""
    await _judge(session, argument, "reject")


async def correct(session: ChatSession, argument: str) -> None:
    """``/fix [#2 | #ID] TEXT``: what the user wanted instead of the answer."""
    named = _NAMED.fullmatch(argument)
    name, text = named.groups() if named else ("", argument)
    if not text:
        raise UsageError("Say what you wanted: /fix TEXT, or /fix #2 TEXT for the answer before.")
    await _give_feedback(session, name, "edit", text)


async def _judge(session: ChatSession, argument: str, signal: Signal) -> None:
    words = argument.split()
    force = words[-1:] == [FORCE]
    name = " ".join(words[:-1] if force else words).removeprefix("#")
    await _give_feedback(session, name, signal, force=force)


async def _give_feedback(
    session: ChatSession, name: str, signal: Signal, text: str | None = None, *, force: bool = False
) -> None:
    """Give feedback on the episode of that name; "" is the last answer."""
    episodes = session.agent.memory(session.user).episodes
    episode_id = episode_named(session, name) if name else last_episode(session)
    episode = await episodes.give_feedback(episode_id, signal, text, force=force)
    about = f" ({episode.query})" if name else ""
    print_notice(f"Thank you: {describe_feedback(episode, signal)}{about}.")
    await align_if_due(session.agent, session.user)
    if signal != "reject":
        await tell_missing_labels(session.agent, session.user)


def episode_named(session: ChatSession, name: str) -> str:
    """The id of the n-th last remembered answer of this chat, if ``name`` is a number."""
    if not _BACK.fullmatch(name):
        return name
    count = len(session.remembered)
    if not 1 <= int(name) <= count:
        raise UsageError(
            f"This chat has {count} remembered answers: #1 is the last. /memory shows the ids of "
            "others."
        )
    return session.remembered[-int(name)]


def last_episode(session: ChatSession) -> str:
    """The id of the last answer's episode.

    Raises:
        UsageError: there is no answer yet, or it was not remembered.
    """
    if session.last_answer is None:
        raise UsageError("There is no answer yet: say something first.")
    if session.last_answer.episode_id is None:
        raise UsageError(
            "The last answer was not remembered, so there is nothing to judge or forget."
        )
    return session.last_answer.episode_id
