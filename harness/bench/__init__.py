"""The benchmark: every speed is a multiple of something timed beside it, in the same run.

``session.run`` is the whole of it; ``peers`` are the other libraries.
"""

__all__: list[str] = []
