"""What ``harness verify-project`` does."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np

from harness.fixed import Fixed
from harness.hls.project.inputs import drawn, from_file, of_test_bench
from harness.hls.project.project import Project
from harness.hls.project.verify import Verdict, verify
from harness.report.update import Update

__all__ = ["verify_project"]


def verify_project(
    directory: Path,
    *,
    rows: int,
    seed: int,
    file: Path | None,
    layers: bool,
    progress: Update,
) -> Verdict:
    """Run the project of a folder beside its typed model.

    Args:
        directory: the project.
        rows: random rows, with those of the project's test bench after them.
        seed: decides them.
        file: rows to run instead.
        layers: compare every layer, also where the outputs agree.
        progress: called with what is done, what there is, and what it is about.
    """
    with contextlib.closing(Project.read(directory)) as project:
        model = project.model()
        if file is not None:
            inputs = from_file(project, file)
        else:
            inputs = drawn(model, rows, seed)
            bench = of_test_bench(project)
            if bench is not None:
                inputs = tuple(map(_joined, inputs, bench))
        return verify(project, inputs, model=model, layers=layers, progress=progress)


def _joined(a: Fixed, b: Fixed) -> Fixed:

    return Fixed(np.concatenate([a.codes, b.codes]), a.type)
