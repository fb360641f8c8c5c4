"""What ``harness verify-project`` does."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.fixed import Fixed, concatenated
from harness.hls.check.fidelity import DEFAULT, Limits
from harness.hls.check.findings import Findings, examined, not_run
from harness.hls.check.reference import Reference, read_reference, reference_of
from harness.hls.project import BrokenProject, Project
from harness.hls.project.inputs import drawn, of_test_bench, read_rows
from harness.report.update import Update
from harness.verify.subjects import load_function

__all__ = ["Request", "verify_project"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Request:
    """What is asked of a project.

    Attributes:
        directory: its folder.
        rows: random rows, with those of the project's test bench after them.
        seed: decides them.
        file: rows to run instead.
        layers: compare every layer of the C++, also where the outputs agree.
        reference: predictions in a ``.npy`` or ``.npz``, or ``package.module:function``.
        limits: what may be lost.
        suggest: look for types and table sizes that lose less.
    """

    directory: Path
    rows: int = 500
    seed: int = 0
    file: Path | None = None
    layers: bool = False
    reference: str | None = None
    limits: Limits = DEFAULT
    suggest: bool = False

    @property
    def command(self) -> str:
        """The command line that asks the same, with the seed that decides random rows."""
        words = ["harness", "verify-project", str(self.directory)]
        if self.file is not None:
            words += ["--input", str(self.file)]
        else:
            words += ["--rows", str(self.rows), "--seed", str(self.seed)]
        if self.layers:
            words.append("--layers")
        if self.reference is not None:
            words += ["--reference", self.reference]
        if self.limits.flips != DEFAULT.flips:
            words += ["--max-flips", str(self.limits.flips)]
        if self.limits.error is not None:
            words += ["--max-error", str(self.limits.error)]
        if self.suggest:
            words.append("--suggest")
        return shlex.join(words)


def verify_project(request: Request, progress: Update = lambda *_: None) -> Findings:
    """Ask the three questions of the project of a folder.

    Raises:
        ValueError: for what is not supported, or no such file; in one line.
        OracleError: if the project does not compile, or its code ends the process.
    """
    # What cannot be read is said before anything is compiled.
    told = _reference(request.reference)
    try:
        project = Project.read(request.directory)
    except BrokenProject as error:
        return Findings(request.directory.name, 0, (str(error),))
    with contextlib.closing(project):
        try:
            batch, values = _rows(project, request, needed=isinstance(told, Reference))
        except BrokenProject as error:
            return not_run(project, error)
        given = values if values is not None else [x.values() for x in batch]
        reference = told(given) if callable(told) else told
        return examined(
            project,
            batch,
            values,
            reference,
            limits=request.limits,
            suggest=request.suggest,
            layers=request.layers,
            progress=progress,
        )


def _reference(spelled: str | None) -> Reference | Callable[[Sequence[Array]], Reference] | None:
    """A reference that is read; or what asks a function for one, given the inputs."""
    if spelled is None:
        return None
    if Path(spelled).suffix in (".npy", ".npz"):
        return read_reference(Path(spelled))
    if Path(spelled).suffix == ".onnx":
        return lambda inputs: reference_of(Path(spelled), inputs, spelled)
    function = load_function(spelled)
    return lambda inputs: reference_of(function, inputs, spelled)


def _rows(
    project: Project, request: Request, *, needed: bool
) -> tuple[tuple[Fixed, ...], list[Array] | None]:
    """Codes of the inputs, and the values that they were."""
    if request.file is not None:
        arrays = read_rows(project, request.file)
        try:
            batch = project.batch(*arrays)
        except TypeError as error:
            raise ValueError(str(error)) from None
        floats = all(x.dtype.kind == "f" for x in arrays)
        return batch, arrays if floats else None
    bench = of_test_bench(project)
    if needed:  # predictions belong to rows that somebody has
        if bench is None:
            raise ValueError(
                "predictions need the rows that they are of: --input, or tb_data of the project"
            )
        return bench, None
    batch = drawn(project.model(), request.rows, request.seed)
    if bench is not None:
        batch = tuple(map(concatenated, zip(batch, bench, strict=True)))
    return batch, None
