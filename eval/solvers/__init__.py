"""The solvers that are compared: baselines of the paper, and the agent itself."""
