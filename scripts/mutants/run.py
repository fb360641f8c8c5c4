"""Run the checks of mutants in forked children of one process that has imported what is heavy.

No file of the project is ever written: a child imports the mutated text in place of the file, and
a simulator reads a copy.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import io
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scripts.mutants.checks import DESELECTED, Area, area_of
from scripts.mutants.edits import Mutant
from scripts.mutants.journal import Result

__all__ = ["BrokenChecks", "Runner"]

#: Memory that a mutant may take before it counts as killed.
MEMORY = 6 << 30
#: Seconds after which one hangs, and after which one does that has taken no time of a processor:
#: where a mutant spoils the heap, Cling waits for ever to report the crash.
LIMIT, STALL = 1200.0, 120.0
CLOCKS = (signal.SIGXCPU, signal.SIGKILL)
QUIET = ["-x", "-q", "-n0", "--no-header", "--assert=plain", "--tb=no", "-W", "ignore"]
QUIET += ["-pno:cacheprovider", "-pno:unraisableexception", "-pno:threadexception"]
QUIET += [f"--deselect={node}" for node in DESELECTED]


class BrokenChecks(Exception):
    """Checks that fail without a mutant."""


@dataclass
class _Child:
    area: Area
    mutant: Mutant | None
    pid: int
    reply: int
    started: float
    ticks: int = 0
    moved: float = 0.0

    def late(self, now: float) -> bool:
        """Whether it takes too long, or stands still."""
        ticks = _ticks(self.pid)
        if ticks != self.ticks:
            self.ticks, self.moved = ticks, now
        return now > self.started + LIMIT or now > max(self.moved, self.started) + STALL


class Runner:
    """Checks mutants of the sources under ``root``.

    Args:
        root: the project.
        jobs: children at once.
        seconds: of a processor that one may take before it hangs.
    """

    def __init__(self, root: Path, jobs: int, seconds: int = 150) -> None:
        self.root, self.jobs, self.seconds = root, jobs, seconds
        self.scratch = Path(tempfile.mkdtemp(prefix="mutants-"))
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(self.scratch / "hypothesis")
        self.vectors: list[tuple[Path, int]] = []
        self.running: list[_Child] = []
        _preload()

    def close(self) -> None:
        """End what runs and remove what was written."""
        for child in self.running:
            _end(child)
        shutil.rmtree(self.scratch, ignore_errors=True)

    def run(self, mutants: Sequence[Mutant]) -> Iterator[tuple[Mutant, Result]]:
        """Check mutants, in any order.

        A check that kills one is run without a mutant too, once, before the kill counts.

        Raises:
            BrokenChecks: if it fails there as well.
        """
        waiting: dict[Area, list[tuple[Mutant, Result]]] = {}
        sound: set[Area] = set()
        queue = list(reversed(mutants))
        while queue or self.running:
            if queue and len(self.running) < self.jobs:
                mutant = queue.pop()
                self.running.append(self._start(area_of(mutant.path), mutant))
                continue
            for child, outcome, by in self._ended():
                if child.mutant is None:
                    if outcome != "survived":
                        raise BrokenChecks(f"{child.area.files[0]}: without a mutant fails {by}")
                    sound.add(child.area)
                    yield from waiting.pop(child.area)
                    continue
                seconds = round(time.monotonic() - child.started, 2)
                result = Result(
                    child.mutant.key, outcome, by, seconds, child.area.digest(self.root)
                )
                proof = replace(child.area, checks=(by,)) if "::" in by else child.area
                if outcome == "survived" or proof in sound:
                    yield child.mutant, result
                elif proof in waiting:
                    waiting[proof].append((child.mutant, result))
                else:
                    waiting[proof] = [(child.mutant, result)]
                    self.running.append(self._start(proof, None))
            time.sleep(0.02)

    def _ended(self) -> Iterator[tuple[_Child, str, str]]:
        """Children that have ended, or hang and are killed: the outcome, and what failed."""
        for child in list(self.running):
            done, status = os.waitpid(child.pid, os.WNOHANG)
            late = not done and child.late(time.monotonic())
            if not done and not late:
                continue
            self.running.remove(child)
            by = os.pread(child.reply, 4096, 0).decode(errors="replace")
            _end(child)
            hung = late or (os.WIFSIGNALED(status) and os.WTERMSIG(status) in CLOCKS)
            outcome = "hung" if hung else "killed" if status else "survived"
            yield child, outcome, by or ("" if outcome == "survived" else outcome)

    def _start(self, area: Area, mutant: Mutant | None) -> _Child:
        if area.simulator and not self.vectors:
            self.vectors = _vectors(self.scratch)
        # A module that is here already would be found unchanged.
        assert not any(name.split(".")[0] == "harness" for name in sys.modules)
        reply = os.memfd_create("reply")
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            status = 3
            try:
                status = self._child(area, mutant, reply)
            finally:
                os._exit(status)
        return _Child(area, mutant, pid, reply, time.monotonic())

    def _child(self, area: Area, mutant: Mutant | None, reply: int) -> int:
        """Run the checks; the exit status is 0 if the mutant survives."""
        os.setpgid(0, 0)
        os.chdir(self.root)
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (self.seconds, self.seconds + 5))
        if area.simulator:
            said = self._simulated(area.simulator, mutant)
            os.pwrite(reply, said.encode(), 0)
            return int(bool(said))
        return self._tested(area, mutant, reply)

    def _tested(self, area: Area, mutant: Mutant | None, reply: int) -> int:
        import numba
        import pytest

        numba.config.DISABLE_JIT = not area.compiled
        if area.afresh:
            numba.config.CACHE_DIR = tempfile.mkdtemp(dir=self.scratch)
        if mutant is not None:
            sys.meta_path.insert(0, _Mutated(self.root, mutant))
        said = ""

        class Watch:
            def pytest_runtest_logreport(self, report: Any) -> None:
                nonlocal said
                if report.failed and not said:
                    said = report.nodeid
                    os.pwrite(reply, said.encode()[:4000], 0)

        with contextlib.redirect_stdout(io.StringIO()) as output:
            status = int(pytest.main([*QUIET, *area.checks], plugins=[Watch()]))
        if status and not said:
            os.pwrite(reply, output.getvalue()[-1500:].encode(), 0)
        return status

    def _simulated(self, name: str, mutant: Mutant | None) -> str:
        """What a simulator says is wrong; nothing if all vectors pass."""
        from harness.golden.simulate import SIMULATORS, simulate

        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            rtl = Path(folder) / "rtl"
            shutil.copytree(self.root / "golden/rtl", rtl)
            if mutant is not None:
                source = (self.root / mutant.path).read_text()
                (rtl / Path(mutant.path).name).write_text(mutant.apply(source))
            for k, (vectors, count) in enumerate(self.vectors):
                work = Path(folder) / f"work{k}"
                work.mkdir()
                found = simulate(SIMULATORS[name], vectors, count, work, rtl)
                if not found.passed:
                    return f"{name}: {found.output[0] if found.output else 'no vector passed'}"
        return ""


def _ticks(pid: int) -> int:
    """The time of a processor that a process and those that it waited for have taken."""
    with contextlib.suppress(FileNotFoundError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15]))
    return 0


class _Mutated(importlib.abc.MetaPathFinder):
    """Imports the mutated text as the module of its file."""

    def __init__(self, root: Path, mutant: Mutant) -> None:
        self.file = str(root / mutant.path)
        self.source = mutant.apply(Path(self.file).read_text())
        parts = mutant.path.removesuffix(".py").split("/")
        self.package = parts[-1] == "__init__"
        self.module = ".".join(parts[:-1] if self.package else parts)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:  # noqa: ARG002
        if name != self.module:
            return None
        return importlib.util.spec_from_file_location(
            name,
            self.file,
            loader=_Loader(name, self.file, self.source),
            submodule_search_locations=[str(Path(self.file).parent)] if self.package else None,
        )


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, file: str, source: str) -> None:
        super().__init__(name, file)
        self.text = source

    def get_code(self, fullname: str) -> Any:  # noqa: ARG002  # never from a cache
        return compile(self.text, self.path, "exec", dont_inherit=True)


def _preload() -> None:
    """What is heavy and no part of the project."""
    import cppyy  # noqa: F401
    import gmpy2  # noqa: F401
    import hypothesis  # noqa: F401
    import ml_dtypes  # noqa: F401
    import numba  # noqa: F401
    import pytest
    import torch

    torch.set_num_threads(1)
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main(["--version"])  # loads its plugins
    gc.collect()
    gc.freeze()  # children need not look at what is here


def _vectors(folder: Path) -> list[tuple[Path, int]]:
    """Committed casts for the simulators: a few, which kill most, then some of every group.

    Written by another process: this one must not import the project.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_emitted, folder).result()


def _emitted(folder: Path) -> list[tuple[Path, int]]:
    from harness.golden import golden_directory, load
    from harness.golden.emit import emit

    groups = load(golden_directory() / "fixed/cast.json").groups
    found = []
    for k, (step, cases) in enumerate(((8, 60), (1, 150))):
        chosen = [replace(g, cases=g.cases[:cases]) for g in groups[::step]]
        emitted = emit(chosen, "rtl", "fixed", folder / f"vectors{k}")
        found.append((folder / f"vectors{k}", emitted.vectors))
    return found


def _end(child: _Child) -> None:
    """Kill a child and all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(child.pid, 0)
    with contextlib.suppress(OSError):
        os.close(child.reply)
