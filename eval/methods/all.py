"""All methods, in the order of the table."""

from personaagent.eval.methods.agent import Agent, React
from personaagent.eval.methods.icl import InContextLearning
from personaagent.eval.methods.membank import MEMBANK
from personaagent.eval.methods.prompt import Prompt
from personaagent.eval.methods.protocol import Method
from personaagent.eval.methods.recalling import PAG, RAG, RECENCY
from personaagent.eval.methods.reminder import Reminder
from personaagent.eval.methods.without_model import Majority, Similar

WIKIPEDIA, RECALL = ("search_wikipedia",), ("recall_episodes",)

_BASELINES: list[Method] = [
    Prompt(),
    InContextLearning(),
    RECENCY,
    RAG,
    PAG,
    React(),
    MEMBANK,
    Reminder(),
    Majority(),
    Similar(),
]
_AGENTS: list[Method] = [
    Agent("persona-paper", mode="paper"),
    Agent("persona", mode="gated"),
]
_WITHOUT_A_PART: list[Method] = [
    Agent("persona-no-alignment"),
    Agent("persona-no-persona", persona=False, profile=False),
    Agent("persona-no-memory", mode="gated", tools=WIKIPEDIA, recall=False, profile=False),
    Agent("persona-no-action", mode="gated", tools=()),
]
_BY_TOOL: list[Method] = [  # what a tool finds is all that is recalled
    Agent("recall-only", tools=RECALL, recall=False),
    Agent("wikipedia-only", tools=WIKIPEDIA, recall=False),
    Agent("recall-and-wikipedia", recall=False),
    Agent("no-tools", tools=(), recall=False),
]

METHODS: dict[str, Method] = {
    each.name: each for each in [*_BASELINES, *_AGENTS, *_WITHOUT_A_PART, *_BY_TOOL]
}
BASELINES = frozenset(each.name for each in _BASELINES)
"""The methods that are not ours."""
