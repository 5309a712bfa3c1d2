"""``inject_persona``: the system prompt, from persona, profile and recalled episodes."""

from functools import partial
from typing import Any

from langgraph.runtime import Runtime

from personaagent.core.records import Episode, Profile
from personaagent.core.states import AgentContext, AgentState
from personaagent.core.tokens import estimate_tokens
from personaagent.memory.personas import render_persona
from personaagent.memory.show import show_episodes, show_summary
from personaagent.nodes.parts import Parts, user_memory
from personaagent.prompts import render


async def inject_persona(
    state: AgentState, runtime: Runtime[AgentContext], *, parts: Parts
) -> dict[str, Any]:
    """Render the system prompt: what changes least comes first, so that turns share a prefix.

    Fixed instructions, then the persona (facts at its head), the profile summary, and last the
    episodes, newest last, as many as the token budget leaves room for.
    """
    persona = await user_memory(parts.memory, runtime).personas.current()
    profile = Profile.model_validate(state["profile"])
    settings = parts.settings
    prompt = partial(
        render,
        "system",
        persona=render_persona(persona, profile.facts if settings.show_facts else []),
        profile=show_summary(profile.summary if settings.show_summary else []),
    )
    without, _ = show_episodes([], 0)
    room = settings.prompt_tokens - estimate_tokens(prompt(memories=without))
    recalled = [Episode.model_validate(each) for each in state["recalled"]]
    memories, left_out = show_episodes(recalled, room)
    return {
        "persona": persona.stored(),
        "system_prompt": prompt(memories=memories),
        "recalled": state["recalled"][: len(recalled) - left_out],
    }
