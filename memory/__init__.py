"""The memory of one user at a time: episodes, profile and persona in the store; the index."""
