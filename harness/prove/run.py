"""Many questions on all cores: tasks go to processes, and certificates come back."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass

from harness.prove import header
from harness.prove.plan import HEADERS, Task, claims, tasks_of_cast, tasks_of_type
from harness.prove.record import Certificate, Outcome
from harness.prove.solve import SECONDS, decide
from harness.report.update import Update
from harness.types import ApFixed, as_fixed_type

__all__ = ["Run", "answered", "prove_cast", "prove_type", "run"]


@dataclass(frozen=True)
class Run:
    """What was asked, and what came of it.

    Attributes:
        answers: each task with its certificates, in the order of the tasks.
        seconds: that it took.
    """

    answers: tuple[tuple[Task, tuple[Certificate, ...]], ...]
    seconds: float

    @property
    def certificates(self) -> list[Certificate]:
        """All of them."""
        return [found for _, many in self.answers for found in many]

    def beside(self, found: Certificate, subject: str) -> Run:
        """With a certificate that came another way, about the same types."""
        answer = (Task(subject, self.answers[0][0].asked), (found,))
        return Run((*self.answers, answer), self.seconds + found.seconds)

    @property
    def outcome(self) -> Outcome:
        """Refuted if anything was; proven if all was, and something was asked."""
        outcomes = {found.outcome for found in self.certificates}
        if Outcome.REFUTED in outcomes:
            return Outcome.REFUTED
        return Outcome.PROVEN if outcomes == {Outcome.PROVEN} else Outcome.UNDECIDED

    @property
    def proven(self) -> bool:
        """Whether nothing was refuted or left open."""
        return self.outcome is Outcome.PROVEN


def answered(task: Task, seconds: float = SECONDS, keep: bool = False) -> tuple[Certificate, ...]:
    """What the solver says to every question of a task."""
    if task.subject in HEADERS:
        return header.answered(task, seconds)
    return tuple(decide(claim, seconds, keep=keep) for claim in claims(task))


def run(
    tasks: Sequence[Task],
    *,
    jobs: int | None = None,
    seconds: float = SECONDS,
    keep: bool = False,
    update: Update | None = None,
) -> Run:
    """Answer every task.

    Args:
        tasks: what is asked.
        jobs: processes; as many as there are cores, if not said.
        seconds: that one question may take.
        keep: whether certificates have their questions as SMT-LIB text.
        update: told how many tasks are done, of how many, and about what.
    """
    started = time.perf_counter()
    jobs = min(jobs or len(os.sched_getaffinity(0)), len(tasks))
    found: dict[int, tuple[Certificate, ...]] = {}
    if jobs < 2:
        for k, task in enumerate(tasks):
            if update is not None:
                update(k, len(tasks), task.subject)
            found[k] = answered(task, seconds, keep)
    else:
        with _workers(jobs) as pool:
            # The longest ones first, so that none is left alone at the end.
            order = sorted(range(len(tasks)), key=lambda k: tasks[k].subject.startswith("ap_"))
            waiting = {pool.submit(answered, tasks[k], seconds, keep): k for k in order}
            for done in as_completed(waiting):
                k = waiting[done]
                found[k] = done.result()
                if update is not None:
                    update(len(found), len(tasks), tasks[k].subject)
    answers = tuple((task, found[k]) for k, task in enumerate(tasks))
    return Run(answers, time.perf_counter() - started)


def prove_cast(
    source: ApFixed | str, target: ApFixed | str, *, seconds: float = SECONDS, keep: bool = False
) -> Run:
    """Prove one cast, for every code of the source: of the compiled kernels, and of the RTL.

    Args:
        source: a type, or its spelling.
        target: likewise.
        seconds: that one question may take.
        keep: whether certificates have their questions as SMT-LIB text.

    Raises:
        ValueError: for a cast that the headers leave undefined, or that nothing compiled serves.
        RtlError: if yosys is missing.
    """
    asked = tasks_of_cast(as_fixed_type(source), as_fixed_type(target))
    return run(asked, jobs=1, seconds=seconds, keep=keep)


def prove_type(
    target: ApFixed | str, *, jobs: int | None = None, seconds: float = SECONDS, keep: bool = False
) -> Run:
    """Prove the ways from ``float32`` and ``float64`` into a type, for every float but NaN.

    Args:
        target: a type of up to 64 bits, or its spelling.
        jobs: processes; as many as there are cores, if not said.
        seconds: that one question may take.
        keep: whether certificates have their questions as SMT-LIB text.

    Raises:
        ValueError: for a type whose floats no compiled loop takes.
    """
    asked = tasks_of_type(as_fixed_type(target))
    return run(asked, jobs=jobs, seconds=seconds, keep=keep)


@contextlib.contextmanager
def _workers(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that share nothing with this one, and end with it, also where it is interrupted."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, context, initializer=_deaf)
    try:
        yield pool
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.kill()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _deaf() -> None:
    """An interrupt is for the process that waits for the answers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
