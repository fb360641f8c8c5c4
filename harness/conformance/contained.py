"""A library in a process of its own: what it prints is nobody's, and if it crashes it is alone."""

from __future__ import annotations

import pickle
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

from harness.children import run
from harness.conformance.judge import judged, missing, version_of
from harness.conformance.records import Judgement
from harness.conformance.sheets import Sheet
from harness.conformance.subject import Subject
from harness.quantize.compiled import expect_many
from harness.verify.engine import SubjectError

__all__ = ["all_judged"]


def all_judged(
    subjects: Sequence[Subject], sheets: Sequence[Sheet], jobs: int
) -> Iterator[tuple[int, Judgement]]:
    """Each library's place and judgement, as they come.

    Args:
        subjects: the libraries.
        sheets: the vectors.
        jobs: processes at once.

    Raises:
        SubjectError: if an adapter gives no answer at all.
        KeyboardInterrupt: if a process was stopped.
    """
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        questions = Path(folder) / "sheets"
        questions.write_bytes(pickle.dumps(list(sheets)))
        places = {
            pool.submit(_child, subject, questions, Path(folder) / str(k)): k
            for k, subject in enumerate(subjects)
        }
        try:
            for future in as_completed(places):
                yield places[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _child(subject: Subject, questions: Path, folder: Path) -> Judgement:
    folder.mkdir()
    answer = folder / "answer"
    (folder / "subject").write_bytes(pickle.dumps(subject))
    command = [sys.executable, "-m", __name__, str(folder / "subject"), str(questions), str(answer)]
    done = run(command, folder)
    if not answer.exists():
        why = done.stderr.strip().splitlines()[-1:] or [f"status {done.returncode}"]
        if done.returncode < 0:
            why = [f"signal {-done.returncode}"]
        version = version_of(subject.distribution)
        return replace(missing(subject), version=version, raised={f"it ended: {why[0]}": 1})
    found = pickle.loads(answer.read_bytes())  # by our own child, in our own folder
    if isinstance(found, str):
        raise SubjectError(found)
    judgement: Judgement = found
    return judgement


def main() -> None:
    """The child: judge one library, and leave its judgement, or what is wrong with its adapter."""
    expect_many()  # for our own quantizers, whose every mode is asked for
    subject, questions, answer = map(Path, sys.argv[1:])
    found: Judgement | str
    try:
        found = judged(
            pickle.loads(subject.read_bytes()),  # by our own parent
            pickle.loads(questions.read_bytes()),
        )
    except SubjectError as error:
        found = str(error)
    answer.write_bytes(pickle.dumps(found))


if __name__ == "__main__":
    main()
