"""``inject_persona``: the system prompt, from persona, profile and recalled episodes."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from langgraph.runtime import Runtime

from personaagent.core.calendar import weekday_in
from personaagent.core.records import Episode, Persona, Profile, now
from personaagent.core.settings import Settings
from personaagent.core.states import AgentContext, AgentState, thread_to_note, zone_of
from personaagent.core.tracing import describe
from personaagent.core.weights import Weights, weights_of
from personaagent.memory.conversations import statement_key
from personaagent.memory.format import fence_all, format_episodes, format_summary
from personaagent.memory.format_choices import format_choices
from personaagent.memory.personas import render_persona
from personaagent.nodes.agent.conversation import conversation
from personaagent.nodes.agent.prompt_budget import fit, remaining_tokens
from personaagent.nodes.agent.question import chooses_label, query_of
from personaagent.nodes.current_user import user_memory
from personaagent.nodes.decision.defaults import CLOSED_CHARS, CLOSED_SHOWN
from personaagent.nodes.dependencies import Dependencies
from personaagent.prompts.render import render


async def inject_persona(
    state: AgentState, runtime: Runtime[AgentContext], *, deps: Dependencies
) -> dict[str, Any]:
    """Render the system prompt from the user's persona, profile and recalled episodes.

    The thread, which will hold the text of rules and statements, is noted with their evidence, so
    that forgetting an episode finds it.
    """
    memory = user_memory(deps.memory, runtime, state)
    persona = await memory.personas.current()
    describe(persona_version=persona.version)
    profile = Profile.model_validate(state["profile"])
    context = runtime.context
    recalled = [Episode.model_validate(episode) for episode in state["recalled"]]
    task = context.task if context else None
    choice = chooses_label(state)
    recalled = recalled[: most_shown(task, persona.weights, choice=choice)]
    prompt, shown = system_prompt(
        persona,
        profile,
        recalled,
        deps.settings,
        at=_moment(context),
        zone=zone_of(context, deps.settings),
        choice=query_of(state) if choice else None,
        instructions=conversation(state["messages"]).instructions,
    )
    evidence = _evidence(persona, profile)
    if evidence and (thread := thread_to_note(runtime)):
        await memory.conversations.note(thread, evidence, key=",".join(evidence))
    return {
        "persona": persona.model_copy(update={"proof": None}).stored(),
        "system_prompt": prompt,
        "recalled": state["recalled"][: len(shown)],
    }


def _evidence(persona: Persona, profile: Profile) -> list[str]:
    """The ids of all episodes that the rules and statements rest on, and of the statements."""
    cited = [rule.evidence for rule in persona.rules]
    cited += [[statement_key(each.id), *each.evidence] for each in profile.summary]
    return sorted({episode_id for evidence in cited for episode_id in evidence})


def most_shown(task: str | None, weights: Sequence[Weights], *, choice: bool) -> int | None:
    """How many of the recalled episodes the prompt shows at most: as many as the user's weights of the
    task say; where they don't, all (None), or ``CLOSED_SHOWN`` for a choice among labels or numbers."""
    own = weights_of(task, weights)
    if own is not None and own.shown is not None:
        return own.shown
    return CLOSED_SHOWN if choice else None


def system_prompt(
    persona: Persona,
    profile: Profile,
    recalled: Sequence[Episode],
    settings: Settings,
    *,
    at: datetime,
    zone: tzinfo,
    choice: str | None = None,
    instructions: str = "",
) -> tuple[str, list[Episode]]:
    """The system prompt, and the episodes of ``recalled`` that stand in it.

    ``at`` is the moment of the question, ``zone`` the user's time zone. ``choice`` is the question if
    it asks for the bare choice among labels or numbers: its prompt (``choose.md``) is short, and of an
    episode it shows a line, because what counts is the label. Room is left for ``instructions``, the
    client's system messages, which come after it.

    What changes least comes first, so that turns share a prefix: fixed instructions, the persona
    (with the facts at its head), the profile summary, the day of the question, and last the
    episodes, newest last, as many as fit (``prompt_budget.py``).
    """

    def written(persona: Persona, profile: Profile, memories: str) -> str:
        return render(
            "system" if choice is None else "choose",
            persona=render_persona(persona, profile.facts if settings.show_facts else []),
            profile=format_summary(profile.summary if settings.show_summary else []),
            today=weekday_in(zone, at),
            memories=memories,
        )

    none = fence_all("memories", [])
    nothing = written(persona.model_copy(update={"rules": []}), Profile(), none)
    fitting = fit(persona, profile, nothing, instructions, settings)
    room = remaining_tokens(written(fitting.persona, fitting.profile, none), settings)
    room -= fitting.for_client
    memories, left_out = (
        format_episodes(recalled, room, zone)
        if choice is None
        else format_choices(recalled, choice, room, CLOSED_CHARS, zone)
    )
    shown = [*recalled[: len(recalled) - left_out]]
    return written(fitting.persona, fitting.profile, memories), shown


def _moment(context: AgentContext | None) -> datetime:
    """The moment of the question; a run that hides what is newer takes place then."""
    own = None if context is None else context.at or context.before
    return own or now()
