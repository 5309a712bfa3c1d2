"""``simulate``: each branch answers one episode's query again under the rules so far."""

from typing import Any

from langgraph.runtime import Runtime

from personaagent.core.alignment import EpisodeContext, SimulatedAnswer
from personaagent.core.alignment_run import RunPersona
from personaagent.core.alignment_state import (
    AlignmentContext,
    AlignmentPlan,
    AlignmentState,
    Branch,
)
from personaagent.core.records import Rule, Usage
from personaagent.core.weights import Weights
from personaagent.nodes.alignment.actor_prompt import build_actor_prompt
from personaagent.nodes.alignment.episode_context import still_valid
from personaagent.nodes.alignment.simulator import Simulator
from personaagent.nodes.alignment.strategies.all import STRATEGIES
from personaagent.nodes.current_user import aligned_memory


async def simulate(
    branch: Branch, runtime: Runtime[AlignmentContext], *, simulator: Simulator
) -> dict[str, Any]:
    """The agent's answer to one episode's query.

    Nothing for an episode that was forgotten, or labelled anew, since the run drew it.

    Raises:
        ConfigurationError: the actor cannot be asked at all.
    """
    settings = simulator.deps.settings
    memory = aligned_memory(simulator.deps.memory, runtime, dict(branch))
    episode_id, plan = branch["episode"], AlignmentPlan.model_validate(branch["plan"])
    context = EpisodeContext.model_validate(branch["episode_context"])
    rules = [Rule.model_validate(rule) for rule in branch["rules"]]
    used = Usage.model_validate(branch["usage"])
    budget = await simulator.budgets.of_run(plan, used, memory.spending)
    episodes = await memory.episodes.find([episode_id, *context.recalled])
    episodes_by_id = still_valid(episodes, {episode_id: context})
    if episode_id not in episodes_by_id:
        return {}
    episode = episodes_by_id[episode_id]
    weights = [Weights.model_validate(each) for each in branch.get("weights", [])]
    prompt = build_actor_prompt(rules, episode, context, episodes_by_id, settings, weights)
    [answer] = await simulator.simulate([prompt], plan, memory, budget)
    return _update(branch, answer)


def _update(branch: Branch, answer: SimulatedAnswer) -> dict[str, Any]:
    usage = answer.usage.stored()
    return {
        "simulated": {branch["episode"]: answer.stored()},
        "usage": usage,
        "gate_usage": usage if branch["held_out"] else Usage().stored(),
        "cached": int(answer.cached),
    }


def branches(state: AlignmentState) -> list[Branch]:
    """A branch for each episode of the batch, and for each that the gate needs.

    A run that an earlier version began has no weights, or none fitted without a label.
    """
    needs_holdout = STRATEGIES[AlignmentPlan.model_validate(state["plan"]).mode].gate.needs_holdout
    persona = RunPersona.model_validate(
        {
            "rules": state["rules"],
            "weights": state.get("weights", []),
            "left_out": (state.get("accepted_left_out") or [{}])[-1],
        }
    )
    for_gate = state["holdout"] + state["earlier_batches"] if needs_holdout else []
    return [
        Branch(
            episode=episode_id,
            episode_context=state["episode_contexts"][episode_id],
            rules=state["rules"],
            weights=[each.stored() for each in persona.weights_for(episode_id)],
            held_out=episode_id not in state["batch"],
            plan=state["plan"],
            usage=state["usage"],
        )
        for episode_id in [*state["batch"], *for_gate]
    ]
