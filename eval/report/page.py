"""The templates of the report; what stands in data is escaped wherever it comes in."""

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from personaagent.core.extras import requires_extra
from personaagent.eval import figures
from personaagent.eval.estimate import Difference
from personaagent.eval.report.forest import Forest

if TYPE_CHECKING:
    from jinja2 import Environment

    from personaagent.eval.summary import TaskSummary

SURE = 0.05
SIGNS = {"same": " ", "new": "+", "gone": "-"}


def page(template: str, **values: Any) -> str:
    """The template, filled in."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> "Environment":
    with requires_extra("eval", "A report"):
        from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("personaagent.eval.report", "."),
        autoescape=select_autoescape(["html.jinja"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "estimate": figures.estimate_text,
        "difference": figures.difference_text,
        "number": figures.number_text,
        "share": figures.share_text,
        "price": lambda price: figures.NOT_KNOWN if price is None else figures.price_text(price),
        "p": figures.p_text,
        "pretty": lambda value: json.dumps(value, indent=2, ensure_ascii=False),
        "changes": lambda lines: "\n".join(f"{SIGNS[line.kind]} {line.text}" for line in lines),
        "fenced": fenced,
        "verdict": verdict,
    }
    environment.globals["forest"] = forest
    return environment


def forest(task: "TaskSummary") -> Forest:
    """The scale on which the first metric of all methods is drawn."""
    first = task.metrics[0].name
    found = {name: each.metrics.get(first) for name, each in task.methods.items()}
    return Forest.of([each for each in found.values() if each is not None])


def verdict(difference: Difference | None, higher: bool) -> str:
    """What a difference shows: ``better``, ``worse``, or ``open``."""
    if difference is None or difference.p > SURE or difference.low <= 0 <= difference.high:
        return "open"
    return "better" if (difference.mean > 0) == higher else "worse"


def fenced(text: str) -> str:
    """The text as a block of Markdown that it cannot end by itself."""
    longest = max((len(ticks) for ticks in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"
