"""``inject_persona``: the system prompt, from persona, profile and recalled episodes."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from langgraph.runtime import Runtime

from personaagent.core.records import Episode, Persona, Profile
from personaagent.core.settings import Settings
from personaagent.core.states import AgentContext, AgentState, thread_to_note
from personaagent.core.tokens import estimate_tokens
from personaagent.core.tracing import describe
from personaagent.memory.format import format_episodes, format_summary
from personaagent.memory.personas import render_persona
from personaagent.nodes.dependencies import Dependencies, user_memory
from personaagent.prompts.render import render


async def inject_persona(
    state: AgentState, runtime: Runtime[AgentContext], *, deps: Dependencies
) -> dict[str, Any]:
    """Render the system prompt of the user's persona, profile and recalled episodes.

    What rules and statements rest on is noted of the thread, which will hold their text.
    """
    memory = user_memory(deps.memory, runtime)
    persona = await memory.personas.current()
    describe(persona_version=persona.version)
    profile = Profile.model_validate(state["profile"])
    recalled = [Episode.model_validate(each) for each in state["recalled"]]
    prompt, shown = system_prompt(persona, profile, recalled, deps.settings)
    if thread := thread_to_note(runtime):
        cited = [rule.evidence for rule in persona.rules]
        cited += [statement.evidence for statement in profile.summary]
        if evidence := sorted({episode for each in cited for episode in each}):
            await memory.conversations.note(thread, evidence, key=",".join(evidence))
    return {
        "persona": persona.model_copy(update={"proof": None}).stored(),
        "system_prompt": prompt,
        "recalled": state["recalled"][:shown],
    }


def system_prompt(
    persona: Persona, profile: Profile, recalled: Sequence[Episode], settings: Settings
) -> tuple[str, int]:
    """What the actor is told before the conversation, and how many of ``recalled`` stand in it.

    What changes least comes first, so that turns share a prefix: fixed instructions, then the
    persona (facts at its head), the profile summary, and last the episodes, newest last, as many
    as the token budget leaves room for.
    """
    prompt = partial(
        render,
        "system",
        persona=render_persona(persona, profile.facts if settings.show_facts else []),
        profile=format_summary(profile.summary if settings.show_summary else []),
    )
    without, _ = format_episodes([], 0)
    room = settings.prompt_tokens - estimate_tokens(prompt(memories=without))
    memories, left_out = format_episodes(recalled, room)
    return prompt(memories=memories), len(recalled) - left_out
