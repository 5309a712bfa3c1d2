"""All methods, in the order of the table."""

from personaagent.eval.solvers.agent import Agent, React
from personaagent.eval.solvers.icl import InContextLearning
from personaagent.eval.solvers.membank import MEMBANK
from personaagent.eval.solvers.prompt import Prompt
from personaagent.eval.solvers.protocol import Solver
from personaagent.eval.solvers.recalling import PAG, RAG, RECENCY
from personaagent.eval.solvers.reminder import Reminder
from personaagent.eval.solvers.without_model import Majority, Similar

WIKIPEDIA, RECALL = ("search_wikipedia",), ("recall_episodes",)

_BASELINES: list[Solver] = [
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
_AGENTS: list[Solver] = [
    Agent("persona-paper", mode="paper"),
    Agent("persona", mode="gated"),
]
_WITHOUT_A_PART: list[Solver] = [
    Agent("persona-no-alignment"),
    Agent("persona-no-persona", persona=False, profile=False),
    Agent("persona-no-memory", mode="gated", tools=WIKIPEDIA, recall=False, profile=False),
    Agent("persona-no-action", mode="gated", tools=()),
]
_BY_TOOL: list[Solver] = [  # what a tool finds is all that is recalled
    Agent("recall-only", tools=RECALL, recall=False),
    Agent("wikipedia-only", tools=WIKIPEDIA, recall=False),
    Agent("recall-and-wikipedia", recall=False),
    Agent("no-tools", tools=(), recall=False),
]

SOLVERS: dict[str, Solver] = {
    each.name: each for each in [*_BASELINES, *_AGENTS, *_WITHOUT_A_PART, *_BY_TOOL]
}
BASELINES = frozenset(each.name for each in _BASELINES)
"""The methods that are not ours."""
