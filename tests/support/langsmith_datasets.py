"""LangSmith's datasets, experiments and examples, as far as its client needs them of a recorder.

with langsmith_recorder() as recorder:
    recorder.answer = Datasets()
"""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.support.langsmith_recorder import Received

Json = dict[str, Any]
MADE = "2026-01-01T00:00:00+00:00"


@dataclass
class Datasets:
    """What was made: datasets, experiments, examples and feedback, as they were sent."""

    datasets: list[Json] = field(default_factory=list)
    experiments: list[Json] = field(default_factory=list)
    examples: list[Json] = field(default_factory=list)
    feedback: list[Json] = field(default_factory=list)

    def __call__(self, received: Received) -> Any:
        """The answer to a request; None where it is about something else."""
        match received.method, received.path:
            case "GET", "/datasets":
                return [each for each in self.datasets if each["name"] == received.query["name"]]
            case "POST", "/datasets":
                return _made(self.datasets, received)
            case "POST", "/sessions":
                body = json.loads(received.body)
                known = [each for each in self.experiments if each["name"] == body["name"]]
                return known[0] if known else _made(self.experiments, received)
            case "GET", "/examples":
                of = received.query["dataset"]
                found = [each for each in self.examples if each["dataset_id"] == of]
                begin = int(received.query["offset"])
                return found[begin : begin + int(received.query["limit"])]
            case "POST", "/examples/bulk":
                new = [each | {"created_at": MADE} for each in json.loads(received.body)]
                self.examples += new
                return new
            case "POST", "/feedback":
                self.feedback.append(json.loads(received.body))
                return {}
        return None


def _made(kept: list[Json], received: Received) -> Json:
    ids = {"id": str(uuid4()), "tenant_id": str(uuid4()), "created_at": MADE}
    body = json.loads(received.body)
    kept.append(ids | {"start_time": MADE, "reference_dataset_id": None} | body)
    return kept[-1]
