"""The nodes of the agent: recall, inject_persona, react, tools, remember."""
