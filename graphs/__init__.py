"""The graphs: topology and nothing else; and the agent as it runs on one machine."""
