"""Terms: what the lexical search compares, the same for an episode and a query."""

import re
import zlib
from collections import Counter


def terms(text: str) -> dict[int, float]:
    """The count of each term of ``text``, by a hash of 32 bits."""
    counts = Counter(re.findall(r"\w+", text.casefold()))
    return {zlib.crc32(word.encode()): float(count) for word, count in counts.items()}
