"""What a tool returned, made short enough for the model."""

SENTENCE_ENDS = (". ", "! ", "? ", ".\n", "!\n", "?\n")
ELLIPSIS = " …"


def shorten(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters: cut after a sentence, else after a word."""
    if len(text) <= limit:
        return text
    room = limit - len(ELLIPSIS)
    sentence = max(text.rfind(end, 0, room + 1) for end in SENTENCE_ENDS) + 1
    word = text.rfind(" ", 0, room + 1)
    cut = sentence if sentence > room // 2 else word if word > 0 else room
    return text[:cut].rstrip() + ELLIPSIS
