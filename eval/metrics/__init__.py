"""Metrics over many answers."""
