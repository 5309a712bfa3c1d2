"""Packages of others that the command executes only when they are asked for a name."""

import ast
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from personaagent.cli.deferred_packages import PACKAGES

DEFER = "from personaagent.cli.deferred_packages import defer_packages; defer_packages()\n"


def run(code: str) -> Any:
    """What ``code`` prints, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def only_gathers(statement: ast.stmt) -> bool:
    """Whether a statement imports names, or names what the package has."""
    match statement:
        case ast.ImportFrom() | ast.Import() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__" | "__version__")]):
            return True
        case _:
            return False


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_a_deferred_package_does_nothing_but_gather_names(package: str) -> None:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    statements = ast.parse(Path(spec.origin).read_text("utf-8")).body
    assert [ast.unparse(each) for each in statements if not only_gathers(each)] == []


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_the_first_name_asked_of_it_makes_it_what_an_import_would(package: str) -> None:
    listed = "\nimport json; print(json.dumps(sorted(n for n in dir(p) if n[0] != '_')))"
    eager = run(f"import {package} as p{listed}")
    ask = f"import {package} as p\np.{eager[0]}; assert '__getattr__' not in vars(p)"
    assert run(DEFER + ask + listed) == eager


def test_importing_one_of_its_modules_loads_that_alone() -> None:
    code = (
        "import json, sys, openai.types.responses.function_tool_param\n"
        "print(json.dumps([m for m in sys.modules if m.startswith('openai.types.responses.')]))"
    )
    assert run(DEFER + code) == ["openai.types.responses.function_tool_param"]


def test_all_its_names_can_be_imported_at_once() -> None:
    code = "import json\nfrom langgraph_sdk import *\nprint(json.dumps(get_client.__module__))"
    assert run(DEFER + code).startswith("langgraph_sdk.")


def test_a_name_that_it_lacks_is_the_same_error() -> None:
    code = (
        "import json, openai.types\n"
        "try: openai.types.NoSuchThing\n"
        "except AttributeError as error: print(json.dumps(str(error)))"
    )
    assert run(DEFER + code) == "module 'openai.types' has no attribute 'NoSuchThing'"


def test_threads_that_ask_at_once_all_get_their_name() -> None:
    code = (
        "import json, openai.types\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from threading import Barrier\n"
        "barrier = Barrier(4, timeout=60)\n"
        "def ask(name): barrier.wait(); return getattr(openai.types, name).__name__\n"
        "names = ['Batch', 'Completion', 'Model', 'Upload']\n"
        "with ThreadPoolExecutor(4) as pool: print(json.dumps([*pool.map(ask, names)]))"
    )
    assert run(DEFER + code) == ["Batch", "Completion", "Model", "Upload"]


def test_what_is_imported_already_stays_as_it_is() -> None:
    code = (
        "import json, langgraph_sdk\n"
        f"{DEFER}"
        "import langgraph_sdk\n"
        "print(json.dumps('__getattr__' in vars(langgraph_sdk)))"
    )
    assert run(code) is False


def in_a_release(tmp_path: Path, text: str, ask: str) -> Any:
    """What ``ask`` prints where a deferred package has this text."""
    package = tmp_path / "langgraph_sdk"
    package.mkdir()
    (package / "__init__.py").write_text(text)
    (package / "client.py").write_text("def get_client(): return 'a client'\n")
    path = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
    return run(f"{path}{DEFER}import json, langgraph_sdk\n{ask}")


def test_a_release_that_is_lazy_itself_stays_so(tmp_path: Path) -> None:
    lazy = (
        "def __getattr__(name):\n"
        "    from langgraph_sdk.client import get_client\n"
        "    return {'get_client': get_client}[name]\n"
    )
    ask = "print(json.dumps([langgraph_sdk.get_client() for _ in range(2)]))"
    assert in_a_release(tmp_path, lazy, ask) == ["a client"] * 2


def test_a_release_that_does_more_than_gather_is_imported_at_once(tmp_path: Path) -> None:
    busy = (
        "import sys\nfrom langgraph_sdk import client\nsys.modules['langgraph_clients'] = client\n"
    )
    ask = "import langgraph_clients; print(json.dumps(langgraph_clients.get_client()))"
    assert in_a_release(tmp_path, busy, ask) == "a client"


def test_its_version_can_be_asked_first() -> None:
    code = "import json, langgraph_sdk\nprint(json.dumps(langgraph_sdk.__version__))"
    assert run(DEFER + code) == run(code)
