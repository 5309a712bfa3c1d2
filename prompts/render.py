"""Renders prompt files, strictly: missing and unused variables are errors."""

from functools import cache
from importlib.resources import files
from string import Template


@cache
def _template(name: str) -> Template:
    text = files("personaagent.prompts").joinpath(f"{name}.md").read_text(encoding="utf-8")
    return Template(text.strip())


def render(name: str, **variables: str) -> str:
    """The text of ``prompts/<name>.md``, with a value for each ``$variable``.

    Raises:
        KeyError: a variable of the prompt has no value, or the prompt does not use one of yours.
    """
    template = _template(name)
    expected, provided = set(template.get_identifiers()), set(variables)
    if expected != provided:
        missing, unused = sorted(expected - provided), sorted(provided - expected)
        raise KeyError(f"prompt {name!r}: missing {missing}, unused {unused}")
    return template.substitute(variables)
