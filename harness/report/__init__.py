"""Records as people and programs read them: terminal and JSON.  Formatting, no decisions."""

__all__: list[str] = []
