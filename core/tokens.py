"""How long a text is in tokens, near enough to keep a budget without a tokenizer."""

from math import ceil


def estimate_tokens(text: str) -> int:
    """About how many tokens ``text`` has: a quarter of its UTF-8 bytes, rounded up."""
    return ceil(len(text.encode()) / 4)
