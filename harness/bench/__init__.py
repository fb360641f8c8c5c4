"""The benchmark: every speed is a multiple of something timed beside it, in the same run."""

from harness.bench.session import run

__all__ = ["run"]
