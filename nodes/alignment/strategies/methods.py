"""The methods by name: which strategies each is made of."""

from dataclasses import dataclass

from personaagent.core.settings import Mode, Sampling
from personaagent.nodes.alignment.strategies.acceptance import Proved, Unproved
from personaagent.nodes.alignment.strategies.critique import OneForEach, OneForTheBatch
from personaagent.nodes.alignment.strategies.protocols import Acceptance, Critic, Editor, Sampler
from personaagent.nodes.alignment.strategies.sampling import Hardest, Latest, Similar
from personaagent.nodes.alignment.strategies.update import RuleEdits, WholeRewrite


@dataclass(frozen=True)
class Method:
    """A way to align: how to criticise, to update and to accept."""

    critic: Critic
    editor: Editor
    acceptance: Acceptance


METHODS: dict[Mode, Method] = {
    "gated": Method(OneForTheBatch(), RuleEdits(), Proved()),
    "paper": Method(OneForEach(), WholeRewrite(), Unproved()),
}
SAMPLERS: dict[Sampling, Sampler] = {
    "latest": Latest(),
    "similar": Similar(),
    "hardest": Hardest(),
}
