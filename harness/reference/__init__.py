"""The exact reference: the published definition, one scalar at a time, on exact numbers."""

from harness.reference.arithmetic import accumulate, assign, compute
from harness.reference.fixed import (
    QUIRKS,
    as_header_reads,
    cast,
    decode,
    from_double,
    from_int,
    quirks,
)

__all__ = [
    "QUIRKS",
    "accumulate",
    "as_header_reads",
    "assign",
    "cast",
    "compute",
    "decode",
    "from_double",
    "from_int",
    "quirks",
]
