"""Golden vectors: words that hardware must reproduce, each said by two independent truths."""

from harness.golden.codec import dumps, load, loads
from harness.golden.files import golden_directory
from harness.golden.record import Case, GoldenError, Group, Truth
from harness.golden.replay import committed, replay

__all__ = [
    "Case",
    "GoldenError",
    "Group",
    "Truth",
    "committed",
    "dumps",
    "golden_directory",
    "load",
    "loads",
    "replay",
]
