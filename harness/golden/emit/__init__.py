"""Golden vectors in the formats of tools and languages, written and read back."""

from harness.golden.emit.folder import FORMATS, INDEX, Emitted, emit, read

__all__ = ["FORMATS", "INDEX", "Emitted", "emit", "read"]
