"""Packages of others that are executed only when somebody asks them for a name.

``import openai`` loads several hundred modules that describe an API of which a chat uses one
route; ``langsmith``, which LangChain imports, does the same. Each of the packages named here does
nothing but gather names out of its own modules. Importing it prepares it, and importing one of its
modules loads that module alone. The first name that is asked of the package itself executes it, as
Python's own import would have done at once. A release that does more is imported as ever.

Only the command defers: a library must not change how its user's process imports.
"""

import sys
from collections.abc import Sequence
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec, PathFinder
from opcode import opmap
from threading import get_ident
from types import CodeType, ModuleType
from typing import Any

PACKAGES = frozenset(
    {
        "langchain_openai",
        "langchain_openai.chat_models",
        "langgraph.prebuilt",
        "langgraph_sdk",
        "langsmith.types",
        "openai.types",
        "openai.types.responses",
    }
)

DOES_MORE = frozenset(
    opmap[name]
    for name in ("CALL", "CALL_KW", "CALL_FUNCTION_EX", "STORE_ATTR", "STORE_SUBSCR")
    if name in opmap
)
"""Operations of a package that does something besides gathering names."""


def defer_packages() -> None:
    """Defer ``PACKAGES`` in this process, except those that are imported already."""
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)


class _Finder:
    """Finds the packages as Python does, with a loader that defers them."""

    @staticmethod
    def find_spec(
        fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in PACKAGES:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and _only_gathers(spec.loader, fullname):
            spec.loader = _Deferring(spec.loader)  # type: ignore[assignment]
        return spec


class _Deferring:
    """Gives a package a ``__getattr__`` (PEP 562) that executes it, in place of executing it."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        executing: set[int] = set()

        def load(name: str) -> Any:
            """No lock: where two threads come at once both execute it, which gathers the same names
            twice. A lock of ours could stand against those of Python's import."""
            thread = get_ident()
            if thread not in executing:
                executing.add(thread)
                try:
                    self._loader.exec_module(module)
                finally:
                    executing.discard(thread)
                if vars(module).get("__getattr__") is load:  # else the package has its own
                    del vars(module)["__getattr__"]
            if name in vars(module):
                return vars(module)[name]
            own = vars(module).get("__getattr__", load)
            if own is not load:
                return own(name)
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

        vars(module)["__getattr__"] = load


def _only_gathers(loader: object, fullname: str) -> bool:
    """Whether the package's own code does nothing but import names, and name what it has."""
    code = loader.get_code(fullname) if isinstance(loader, InspectLoader) else None
    return isinstance(code, CodeType) and DOES_MORE.isdisjoint(code.co_code[::2])
