"""Prompts: one Markdown file each, rendered strictly; memory text stands in them fenced."""
