"""The strategies and samplers by name."""

from dataclasses import dataclass

from personaagent.core.settings import Mode, Sampling
from personaagent.nodes.alignment.strategies.accept_all import AcceptAll
from personaagent.nodes.alignment.strategies.critics import BatchCritic, PerEpisodeCritic
from personaagent.nodes.alignment.strategies.editors import RuleEdits, WholeRewrite
from personaagent.nodes.alignment.strategies.held_out_gate import HeldOutGate
from personaagent.nodes.alignment.strategies.protocols import Critic, Editor, Gate, Sampler
from personaagent.nodes.alignment.strategies.samplers import (
    HardestSampler,
    LatestSampler,
    SimilarSampler,
)


@dataclass(frozen=True)
class Strategy:
    """A way to align: how to criticise, to edit, and to accept."""

    critic: Critic
    editor: Editor
    gate: Gate


STRATEGIES: dict[Mode, Strategy] = {
    "gated": Strategy(BatchCritic(), RuleEdits(), HeldOutGate()),
    "paper": Strategy(PerEpisodeCritic(), WholeRewrite(), AcceptAll()),
}
SAMPLERS: dict[Sampling, Sampler] = {
    "latest": LatestSampler(),
    "similar": SimilarSampler(),
    "hardest": HardestSampler(),
}
