"""The weights of the user whose turn it is."""

from personaagent.core.decision import ClosedQuestion
from personaagent.core.records import Persona
from personaagent.core.states import AgentState
from personaagent.core.weights import Weights
from personaagent.nodes.decision.defaults import weights_for


def own_weights(asked: ClosedQuestion, state: AgentState) -> Weights:
    """The weights of this turn's persona for the question; the defaults where it has none."""
    persona = state.get("persona")
    own = Persona.model_validate(persona).weights if persona else []
    return weights_for(asked, own)
