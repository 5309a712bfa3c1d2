"""The graphs for aegra, which loads a graph by file: the same as ``langgraph.json`` names by module."""

from personaagent.graphs.agent import graph as agent
from personaagent.graphs.alignment import graph as alignment

__all__ = ["agent", "alignment"]
