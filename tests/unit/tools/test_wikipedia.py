"""What ``search_wikipedia`` is before it asks anything."""

import subprocess
import sys

from personaagent.core.settings import load_settings
from personaagent.tools.mediawiki import address
from personaagent.tools.wikipedia import Wikipedia, search_wikipedia_tool


def test_its_import_loads_no_slow_library() -> None:
    script = (
        "import sys, personaagent.tools.wikipedia\n"
        "print(*{'wikipedia', 'langchain_community', 'bs4'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""


def test_its_address_follows_the_language() -> None:
    german = load_settings(wikipedia_language="de")
    assert address(german) == "https://de.wikipedia.org/w/api.php"
    own = load_settings(wikipedia_url="https://wiki.example/api.php")
    assert address(own) == "https://wiki.example/api.php"


def test_the_model_sees_one_short_argument() -> None:
    tool = search_wikipedia_tool(Wikipedia(load_settings()))
    assert tool.name == "search_wikipedia"
    assert tool.args.keys() == {"query"}
    assert tool.args["query"]["maxLength"] <= 300  # the API's own limit; small models run on
