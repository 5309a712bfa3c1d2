"""``simulate``: one branch an episode answers its query again under the rules so far."""

from typing import Any

from langgraph.runtime import Runtime

from personaagent.core.alignment_state import AlignmentContext, AlignmentState, Branch, Plan
from personaagent.core.records import Rule, Usage
from personaagent.nodes.alignment.simulator import EpisodeContext, Simulator, still_valid
from personaagent.nodes.alignment.strategies.methods import METHODS
from personaagent.nodes.dependencies import user_memory


async def simulate(
    branch: Branch, runtime: Runtime[AlignmentContext], *, simulator: Simulator
) -> dict[str, Any]:
    """The agent's answer to one episode's query; nothing for one that is forgotten meanwhile, or of
    which the user says otherwise by now.

    Raises:
        ConfigurationError: the actor cannot be asked at all.
    """
    memory = user_memory(simulator.deps.memory, runtime)
    plan, scene = (
        Plan.model_validate(branch["plan"]),
        EpisodeContext.model_validate(branch["episode_context"]),
    )
    rules = [Rule.model_validate(each) for each in branch["rules"]]
    budget = await simulator.budget(branch, memory)
    found = await memory.episodes.find([branch["episode"], *scene.recalled])
    known = still_valid(found, {branch["episode"]: scene})
    if branch["episode"] not in known:
        return {}
    told = simulator.told(rules, known[branch["episode"]], scene, known)
    [simulated] = await simulator.simulate([told], plan, memory, budget)
    used = simulated.usage.stored()
    return {
        "simulated": {branch["episode"]: simulated.stored()},
        "usage": used,
        "gate_usage": used if branch["held_out"] else Usage().stored(),
        "cached": int(simulated.cached),
    }


def branches(state: AlignmentState) -> list[Branch]:
    """A branch for each episode of the batch, and for each that is to prove what is learned."""
    plan = Plan.model_validate(state["plan"])
    proving = (
        state["holdout"] + state["earlier_batches"]
        if METHODS[plan.mode].acceptance.needs_holdout
        else []
    )
    return [
        Branch(
            episode=each,
            episode_context=state["episode_contexts"][each],
            rules=state["rules"],
            held_out=each not in state["batch"],
            plan=state["plan"],
            usage=state["usage"],
        )
        for each in [*state["batch"], *proving]
    ]
