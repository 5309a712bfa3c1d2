"""What an episode is on a Qdrant server: the points that this code sends for it, in bytes.

Vectors count four bytes a number, terms eight each, and the payload as JSON. No server runs: what it adds
(links of its graph, indexes of fields) is not measured here.
"""

import json

import numpy as np
from measurement import Measurement, report_and_exit
from random_entries import random_entries, random_vectors

from personaagent.core.users import user_key
from personaagent.memory.index.points import points_of

EPISODES = 1_000
FLOAT, TERM = 4, 8


def measure() -> list[Measurement]:
    rng = np.random.default_rng(0)
    entries = random_entries(rng, random_vectors(rng, EPISODES), 0, "8b1f5c3e-")
    points = [point for entry in entries for point in points_of(user_key("anna"), entry)]
    dense = terms = payload = 0
    for point in points:
        assert isinstance(point.vector, dict)
        dense += FLOAT * len(point.vector["dense"])  # type: ignore[arg-type]
        terms += TERM * len(point.vector["bm25"].indices)  # type: ignore[union-attr]
        payload += len(json.dumps(point.payload))
    return [
        Measurement("points of a short episode", len(points) / EPISODES),
        Measurement("its vectors", dense / EPISODES, " bytes"),
        Measurement("its terms", terms / EPISODES, " bytes"),
        Measurement("its payload", payload / EPISODES, " bytes"),
    ]


if __name__ == "__main__":
    report_and_exit(measure())
