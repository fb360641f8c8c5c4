"""The shape of the house: who may import whom, who prints, and how long a module may be."""

import ast
import graphlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import harness

ROOT = Path(harness.__file__).parent
#: Old import paths, kept for one release: each is one line that imports from ``interfaces``.
OLD_PATHS = ("nn.aimet", "nn.fxp", "nn.pychop", "nn.torchapprox", "quantizers")


@cache
def modules() -> dict[str, Path]:
    """Every module of the package by name."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = ("harness", *path.relative_to(ROOT).with_suffix("").parts)
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imports(source: str) -> Iterator[str]:
    """The names of every import, wherever in the file it stands; of ``from a import b``, a.b."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def graph() -> dict[str, set[str]]:
    """The modules of the package that each one imports."""
    found: dict[str, set[str]] = {}
    for module, path in modules().items():
        found[module] = set()
        for name in imports(path.read_text(encoding="utf-8")):
            known = name if name in modules() else name.rpartition(".")[0]
            if known in modules() and known != module:
                found[module].add(known)
    return found


def test_the_graph_is_seen() -> None:
    """A check that sees no imports could not fail."""
    assert "harness.types" in graph()["harness.quantize"]
    assert "harness.oracle.process" in graph()["harness.oracle.oracle"]
    assert sum(map(len, graph().values())) > 500


def test_no_circles() -> None:
    """Imports go one way, also those inside of functions and for type checkers alone."""
    try:
        graphlib.TopologicalSorter(graph()).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_a_circle_is_found() -> None:
    """A planted circle fails the check above."""
    planted = {**graph(), "harness.types.modes": {"harness.types.fixed"}}
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter(planted).prepare()


def test_nothing_imports_the_interfaces() -> None:
    """They call us, we do not call them; the old paths alone lead to them."""
    callers = {
        module
        for module, names in graph().items()
        if any(name.startswith("harness.interfaces") for name in names)
        and not module.startswith("harness.interfaces")
    }
    assert callers == {f"harness.{name}" for name in OLD_PATHS}


@pytest.mark.parametrize("name", OLD_PATHS)
def test_old_paths(name: str) -> None:
    """An old path is a module of a docstring and one import."""
    body = ast.parse(modules()[f"harness.{name}"].read_text(encoding="utf-8")).body
    assert [type(node) for node in body] == [ast.Expr, ast.ImportFrom]


def test_who_prints() -> None:
    """Only the room ``report`` prints, or knows of rich."""
    printing = set()
    for module, path in modules().items():
        source = path.read_text(encoding="utf-8")
        calls = (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call))
        prints = any(isinstance(c.func, ast.Name) and c.func.id == "print" for c in calls)
        if prints or any(name.split(".")[0] == "rich" for name in imports(source)):
            printing.add(".".join(module.split(".")[:2]))
    assert printing == {"harness.report"}


def test_length() -> None:
    """A module tells one story."""
    lengths = {name: len(path.read_bytes().splitlines()) for name, path in modules().items()}
    assert {name: n for name, n in lengths.items() if n > 400} == {}
