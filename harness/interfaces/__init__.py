"""How the users of other libraries call us: one module for each library's own names."""

__all__: list[str] = []
