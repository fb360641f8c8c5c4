"""For pytest: fixtures that compile and compare, and the options that tune them.

Fixtures: ``cpp`` and ``rtl`` are those of :mod:`harness.cosim` for sources beside the test,
``assert_same`` is :func:`harness.cosim.assert_same`.  A test marked ``bit_exact`` may say how many
examples it wants.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

__all__ = ["assert_same", "cpp", "pytest_addoption", "pytest_configure", "rtl"]

MARK = "bit_exact(examples): holds functions against each other, so many calls long"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("hls", "HLS C++ beside Python")
    group.addoption("--hls-headers", metavar="DIR", help="folder of your own ap_fixed.h")
    group.addoption("--hls-examples", metavar="N", type=int, help="calls that assert_same compares")
    group.addoption("--hls-seed", metavar="N", type=int, help="other inputs than every day's")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARK)


@pytest.fixture
def cpp(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """A C++ function by its source, beside the test's file, and name; see ``harness.cosim.cpp``."""
    from harness.cosim import cpp as function

    with _maker(request, function) as make:
        headers = request.config.getoption("--hls-headers")
        yield lambda source, top, **options: make(source, top, **{"headers": headers, **options})


@pytest.fixture
def rtl(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """A hardware module by its source, beside the test's file; see ``harness.cosim.rtl``.

    Without Verilator the test is skipped, and says so.
    """
    if shutil.which("verilator") is None:
        pytest.skip("rtl() needs verilator, which is not installed")
    from harness.cosim import rtl as function

    with _maker(request, function) as make:
        yield make


@contextlib.contextmanager
def _maker(
    request: pytest.FixtureRequest, function: Callable[..., Any]
) -> Iterator[Callable[..., Any]]:
    """Makes functions of sources beside the test, and ends them after it."""
    with contextlib.ExitStack() as made:
        folder = request.path.parent

        def make(source: Any, top: str, **options: Any) -> Any:
            each = function(_beside(folder, source), top, **options)
            made.callback(each.close)
            return each

        yield make


def _beside(folder: Path, source: Any) -> Any:
    """Relative names are those of files beside the test."""
    if isinstance(source, Sequence) and not isinstance(source, str):
        return [_beside(folder, each) for each in source]
    return folder / source


@pytest.fixture
def assert_same(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """``harness.cosim.assert_same`` with the examples of the options or of the marker."""
    from harness.cosim import assert_same as compare

    marker = request.node.get_closest_marker("bit_exact")
    own = marker.kwargs.get("examples") if marker is not None else None
    examples = request.config.getoption("--hls-examples") or own or 1000
    return partial(compare, examples=examples, seed=request.config.getoption("--hls-seed"))
