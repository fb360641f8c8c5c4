"""Many questions on all cores: tasks go to processes, and certificates come back."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass

from harness.prove.plan import Task, claims
from harness.prove.record import Certificate, Outcome
from harness.prove.solve import SECONDS, decide

__all__ = ["Run", "answered", "run"]


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

    @property
    def proven(self) -> bool:
        """Whether nothing was refuted or left open, and something was asked."""
        outcomes = {found.outcome for found in self.certificates}
        return outcomes == {Outcome.PROVEN}


def answered(task: Task, seconds: float = SECONDS, keep: bool = False) -> tuple[Certificate, ...]:
    """What the solver says to every question of a task."""
    return tuple(decide(claim, seconds, keep=keep) for claim in claims(task))


def run(
    tasks: Sequence[Task],
    *,
    jobs: int | None = None,
    seconds: float = SECONDS,
    keep: bool = False,
    update: Callable[[int, int, str], None] = lambda done, total, about: None,
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
                update(len(found), len(tasks), tasks[k].subject)
    answers = tuple((task, found[k]) for k, task in enumerate(tasks))
    return Run(answers, time.perf_counter() - started)


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
