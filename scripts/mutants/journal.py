"""What became of mutants, one line each, appended: a killed run loses nothing that was written."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Journal", "Result"]


@dataclass(frozen=True)
class Result:
    """One mutant's end.

    Attributes:
        key: the mutant.
        outcome: ``killed``, ``hung`` (which is killed too) or ``survived``.
        by: the check that killed it.
        seconds: how long that took.
        checks: the digest of the checks that were run.
    """

    key: str
    outcome: str
    by: str
    seconds: float
    checks: str

    @property
    def killed(self) -> bool:
        """Whether a check failed, or hung."""
        return self.outcome != "survived"


class Journal:
    """Results by key, in a file of JSON lines."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.results: dict[str, Result] = {}
        text = path.read_text() if path.exists() else ""
        whole = text[: text.rfind("\n") + 1]  # the last line may have been cut short
        for line in whole.splitlines():
            result = Result(**json.loads(line))
            self.results[result.key] = result
        if whole != text:
            os.truncate(path, len(whole.encode()))

    def known(self, key: str, checks: str) -> Result | None:
        """What is known: a survivor only as long as the checks are the same."""
        found = self.results.get(key)
        return found if found is not None and (found.killed or found.checks == checks) else None

    def write(self, result: Result) -> None:
        """Note a result, on the disk before this returns."""
        self.results[result.key] = result
        with self.path.open("a") as file:
            file.write(json.dumps(asdict(result)) + "\n")
            file.flush()
            os.fsync(file.fileno())
