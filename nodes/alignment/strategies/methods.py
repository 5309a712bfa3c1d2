"""The methods by name: which strategies each is made of."""

from dataclasses import dataclass

from personaagent.core.settings import Mode, Sampling
from personaagent.nodes.alignment.strategies.critics import BatchCritic, PerEpisodeCritic
from personaagent.nodes.alignment.strategies.editors import RuleEdits, WholeRewrite
from personaagent.nodes.alignment.strategies.gates import AcceptAll, HeldOutGate
from personaagent.nodes.alignment.strategies.protocols import Critic, Editor, Gate, Sampler
from personaagent.nodes.alignment.strategies.samplers import Hardest, Latest, Similar


@dataclass(frozen=True)
class Method:
    """A way to align: how to criticise, to update and to accept."""

    critic: Critic
    editor: Editor
    acceptance: Gate


METHODS: dict[Mode, Method] = {
    "gated": Method(BatchCritic(), RuleEdits(), HeldOutGate()),
    "paper": Method(PerEpisodeCritic(), WholeRewrite(), AcceptAll()),
}
SAMPLERS: dict[Sampling, Sampler] = {
    "latest": Latest(),
    "similar": Similar(),
    "hardest": Hardest(),
}
