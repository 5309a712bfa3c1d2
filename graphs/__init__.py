"""The graphs: only their topology; the nodes are in ``nodes/``."""
