"""``personaagent ask``: one question, one answer."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from personaagent.cli.agent_runner import run_with_agent
from personaagent.cli.options import AsJson, Reasoning, Thread, User
from personaagent.cli.output import console, print_notice, print_result, print_warning
from personaagent.cli.streams import decoded
from personaagent.core.answer import Answer
from personaagent.core.ids import short_id
from personaagent.core.possible_answers import check_answers
from personaagent.core.settings import load_settings
from personaagent.core.text import check_message
from personaagent.core.users import check_user_id

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent


def ask(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="What to ask; - reads it from standard input.")
    ],
    user: User,
    thread: Thread = None,
    task: Annotated[str | None, typer.Option(help="A label for this kind of question.")] = None,
    incognito: Annotated[
        bool, typer.Option("--incognito", help="Remember nothing of this turn.")
    ] = False,
    answers: Annotated[
        str | None,
        typer.Option(metavar="A,B,C", help="The only possible answers, with commas between them."),
    ] = None,
    reasoning: Reasoning = False,
    as_json: AsJson = False,
) -> None:
    """Ask once and print the answer."""
    check_user_id(user)
    limit = load_settings().max_query_chars
    query = check_message(_stdin(limit) if text == "-" else text, limit)
    options: dict[str, Any] = {
        "thread_id": thread,
        "task": task,
        "incognito": incognito,
        "answers": check_answers([] if answers is None else answers.split(",")),
        "reasoning": reasoning,
    }

    async def ask_once(agent: "LocalAgent") -> Answer:
        if thread is not None:
            options["thread_id"] = await agent.conversation_named(user, thread)
        if as_json:
            return await agent.ask(query, user, **options)
        from personaagent.cli.answer_stream import print_answer

        return await print_answer(agent.stream(query, user, **options))

    answer = run_with_agent(ask_once, role="actor", embeddings=True)
    if as_json:
        print_result(answer, True, str)
        return
    for warning in answer.warnings:
        print_warning(warning)
    if console(stderr=True).is_terminal:
        print_notice(summary(answer))


def summary(answer: Answer) -> str:
    """One line about a turn: its episode, what it recalled, its tools, and how long it took."""
    parts = [f"episode {short_id(answer.episode_id)}" if answer.episode_id else "not remembered"]
    if answer.recalled:
        parts.append(f"{len(answer.recalled)} recalled")
    parts += dict.fromkeys(call.name for call in answer.tool_calls)
    return " · ".join([*parts, f"{answer.seconds:.1f} s"])


def _stdin(limit: int) -> str:
    """At most ``limit`` + 1 characters of standard input: enough to see that it is too long."""
    return decoded(sys.stdin.buffer.read(4 * limit + 4))[: limit + 1].rstrip("\n")
