"""Measuring: what persona and memory are worth on what the user really wanted."""
