"""``inject_persona``: the system prompt, from persona, profile and recalled episodes."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import Command

from personaagent.core.calendar import weekday_in
from personaagent.core.decision import QuestionKind
from personaagent.core.records import Episode, Persona, Profile, now
from personaagent.core.settings import Settings
from personaagent.core.states import AgentContext, AgentState, thread_to_note, zone_of
from personaagent.core.tracing import describe
from personaagent.core.weights import Weights, weights_of
from personaagent.memory.format import fence_all, format_episodes, format_summary
from personaagent.memory.format_choices import format_choices
from personaagent.memory.personas import render_persona
from personaagent.nodes.agent.conversation import conversation
from personaagent.nodes.agent.noting import evidence_writes
from personaagent.nodes.agent.prompt_budget import fit, remaining_tokens
from personaagent.nodes.agent.question import kind_of_choice, query_of
from personaagent.nodes.current_user import user_memory
from personaagent.nodes.decision.defaults import CHARS, SHOWN
from personaagent.nodes.dependencies import Dependencies
from personaagent.prompts.render import render


async def inject_persona(
    state: AgentState, runtime: Runtime[AgentContext], *, deps: Dependencies
) -> Command[Any]:
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
    choice = kind_of_choice(state)
    recalled = recalled[: most_shown(task, persona.weights, choice=choice)]
    prompt, shown = system_prompt(
        persona,
        profile,
        recalled,
        deps.settings,
        at=_moment(context),
        zone=zone_of(context, deps.settings),
        query=query_of(state),
        choice=choice,
        instructions=conversation(state["messages"]).instructions,
    )
    if thread := thread_to_note(runtime):
        evidence = evidence_writes(thread, persona, profile)
        noted = deps.memory.turns.noted(memory.store.key, state["episode_id"])
        if evidence and evidence[0][1] not in noted:
            await memory.store.write(evidence)
    # As pairs: LangGraph looks at each character of a string for a message to stream.
    return Command(
        update=[
            ("persona", persona.model_copy(update={"proof": None}).stored()),
            ("system_prompt", prompt),
            ("recalled", state["recalled"][: len(shown)]),
        ]
    )


def most_shown(
    task: str | None, weights: Sequence[Weights], *, choice: QuestionKind | None
) -> int | None:
    """How many of the recalled episodes the prompt shows at most: as many as the user's weights of the
    task say; where they don't, all (None), or for a bare choice what its kind says."""
    own = weights_of(task, weights)
    if own is not None and own.shown is not None:
        return own.shown
    return None if choice is None else SHOWN[choice]


def system_prompt(
    persona: Persona,
    profile: Profile,
    recalled: Sequence[Episode],
    settings: Settings,
    *,
    at: datetime,
    zone: tzinfo,
    query: str = "",
    choice: QuestionKind | None = None,
    instructions: str = "",
) -> tuple[str, list[Episode]]:
    """The system prompt, and the episodes of ``recalled`` that stand in it.

    ``at`` is the moment of the question ``query``, ``zone`` the user's time zone. ``choice`` is what
    the question asks to choose from: the prompt of a bare choice (``choose.md``) is short, and shows
    each episode in a line. Room is left for ``instructions``, the client's system messages, which come
    after it.

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
        else format_choices(recalled, query, room, CHARS[choice], zone)
    )
    shown = [*recalled[: len(recalled) - left_out]]
    return written(fitting.persona, fitting.profile, memories), shown


def _moment(context: AgentContext | None) -> datetime:
    """The moment of the question; a run that hides what is newer takes place then."""
    own = None if context is None else context.at or context.before
    return own or now()
