"""Prompts: one Markdown file each, rendered strictly. Text from memory is fenced in them."""
