"""Hold libraries against vectors, each in a process of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from harness.conformance.contained import all_judged
from harness.conformance.records import Conformance
from harness.conformance.sheets import Sheet
from harness.conformance.subject import Subject
from harness.report.update import Update

__all__ = ["run"]

#: What no library is asked about here.
NOT_ASKED = (
    "not asked: integers of C++, operators, accumulation, rounding by chance, types above 64 bits, "
    "and the sign of a zero of floats, which values do not tell"
)


def run(
    subjects: Sequence[Subject],
    sheets: Sequence[Sheet],
    *,
    truth: Sequence[str] = (),
    seed: int = 0,
    progress: Update = lambda *_: None,
) -> Conformance:
    """Hold libraries against vectors.

    Args:
        subjects: the libraries; one that is not installed is reported as such.
        sheets: the vectors.
        truth: who said what is right.
        seed: of the fresh vectors.
        progress: told of each library.

    Raises:
        SubjectError: if an adapter gives no answer at all.
    """
    started = time.perf_counter()
    found = {}
    for k, judgement in all_judged(subjects, sheets, len(os.sched_getaffinity(0))):
        found[k] = judgement
        progress(len(found), len(subjects), judgement.name)
    return Conformance(
        judgements=tuple(found[k] for k in range(len(subjects))),
        cases=sum(len(sheet.levels) for sheet in sheets),
        types=len({str(sheet.group.target) for sheet in sheets}),
        truth=tuple(truth),
        notes=(NOT_ASKED,),
        seed=seed,
        seconds=time.perf_counter() - started,
    )
