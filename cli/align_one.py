"""``personaagent align --user``: the persona of one user, with their approval if it is asked for."""

from typing import TYPE_CHECKING, Any

from personaagent.cli.agent_runner import known_user, run_with_agent
from personaagent.cli.alignment_progress import AlignmentProgress
from personaagent.cli.alignment_views import alignment_view, proposal_view
from personaagent.cli.output import confirm, print_result, print_view, print_warning
from personaagent.core.alignment import Alignment
from personaagent.core.errors import Conflict, UsageError
from personaagent.core.records import Episode
from personaagent.core.settings import load_settings

if TYPE_CHECKING:
    from personaagent.local.agent import LocalAgent


def align_one(user: str, options: dict[str, Any], approve: bool, as_json: bool) -> None:
    """Align the user and print the result.

    Args:
        user: whose persona.
        options: the fields of ``AlignmentContext``.
        approve: ask before publishing even if the settings do not say so.
        as_json: print the result as JSON.

    Raises:
        Conflict: the persona changed while the alignment ran, so that nothing was published.
        PersonaAgentError: the alignment failed.
    """
    asks = approve or load_settings().approval == "ask"

    async def align(agent: "LocalAgent") -> tuple[Alignment, list[Episode]]:
        memory = await known_user(agent, user)
        with AlignmentProgress() as progress:

            async def ask(proposal: dict[str, Any]) -> bool:
                progress.stop()
                return _approved(proposal)

            result = await agent.align(
                user, trigger="cli", approve=ask if asks else None, on_step=progress, **options
            )
        return result, await memory.episodes.find([pair.episode for pair in result.pairs])

    result, episodes = run_with_agent(align, role="all", embeddings=True)
    conflict = result.warnings[-1] if result.stopped_by == "conflict" else None
    for warning in result.warnings:
        if warning != conflict:
            print_warning(warning)
    print_result(result, as_json, lambda done: alignment_view(done, episodes, options["dry_run"]))
    if conflict:
        raise Conflict(conflict)


def _approved(proposal: dict[str, Any]) -> bool:
    """Show what would be published, and ask.

    Raises:
        UsageError: standard input ended without an answer.
    """
    print_view(proposal_view(proposal), stderr=True)
    answer = confirm(proposal["question"])
    if answer is None:
        raise UsageError(
            "Nothing was published, because nobody answered: the same command asks again."
        )
    return answer
