"""All solvers by name, in the order of the table; users know them as methods."""

from personaagent.eval.solvers.agent import AgentSolver, ReactSolver
from personaagent.eval.solvers.decided import FusedSolver, HistorySolver
from personaagent.eval.solvers.episode_prompt import PAG, RAG, RECENCY
from personaagent.eval.solvers.icl import InContextLearning
from personaagent.eval.solvers.membank import MEMBANK
from personaagent.eval.solvers.model_free import MajorityLabel, SimilarEpisode
from personaagent.eval.solvers.plain_prompt import PromptSolver
from personaagent.eval.solvers.protocol import Solver
from personaagent.eval.solvers.reminder import ReminderSolver

WIKIPEDIA, RECALL = ("search_wikipedia",), ("recall_episodes",)

_BASELINES: list[Solver] = [
    PromptSolver(),
    InContextLearning(),
    RECENCY,
    RAG,
    PAG,
    ReactSolver(),
    MEMBANK,
    ReminderSolver(),
    MajorityLabel(),
    SimilarEpisode(),
    HistorySolver(),
    FusedSolver(),
]
_AGENTS: list[Solver] = [
    AgentSolver("persona-paper", mode="paper"),
    AgentSolver("persona", mode="gated"),
]
_ABLATIONS: list[Solver] = [
    AgentSolver("persona-no-alignment"),
    AgentSolver("persona-no-persona", persona=False, profile=False),
    AgentSolver("persona-no-memory", mode="gated", tools=WIKIPEDIA, recall=False, profile=False),
    AgentSolver("persona-no-action", mode="gated", tools=()),
]
_BY_TOOL: list[Solver] = [  # nothing is recalled but what a tool finds
    AgentSolver("recall-only", tools=RECALL, recall=False),
    AgentSolver("wikipedia-only", tools=WIKIPEDIA, recall=False),
    AgentSolver("recall-and-wikipedia", recall=False),
    AgentSolver("no-tools", tools=(), recall=False),
]

SOLVERS: dict[str, Solver] = {
    solver.name: solver for solver in [*_BASELINES, *_AGENTS, *_ABLATIONS, *_BY_TOOL]
}
BASELINES = frozenset(solver.name for solver in _BASELINES)
"""The names of the solvers that are not ours."""
