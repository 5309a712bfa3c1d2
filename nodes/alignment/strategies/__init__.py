"""Strategies of alignment: what a method does in sample, critique, update and gate."""
