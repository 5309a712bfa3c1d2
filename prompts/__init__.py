"""Prompts: one Markdown file each, rendered strictly; memory text stands in them fenced."""

from personaagent.prompts.fence import fence
from personaagent.prompts.render import render

__all__ = ["fence", "render"]
