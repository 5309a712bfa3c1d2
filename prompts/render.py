"""The strict renderer of prompt files."""

from functools import cache
from importlib.resources import files
from string import Template


@cache
def _template(name: str) -> Template:
    text = files("personaagent.prompts").joinpath(f"{name}.md").read_text(encoding="utf-8")
    return Template(text.strip())


def render(name: str, **variables: str) -> str:
    """The text of ``prompts/<name>.md`` with each ``$variable`` filled in.

    Raises:
        KeyError: a variable of the prompt is missing, or one that was given is not in it.
    """
    template = _template(name)
    wanted, given = set(template.get_identifiers()), set(variables)
    if wanted != given:
        raise KeyError(
            f"prompt {name!r}: missing {sorted(wanted - given)}, unused {sorted(given - wanted)}"
        )
    return template.substitute(variables)
