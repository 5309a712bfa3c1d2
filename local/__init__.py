"""The agent on one machine: what opens files, runs turns, and aligns beside a conversation."""
