"""What GHDL refuses; each message is one line."""

__all__ = ["GhdlError", "MissingError", "NoGhdlError"]


class GhdlError(ValueError):
    """Sources that GHDL does not compile or synthesise."""


class MissingError(GhdlError):
    """An entity or a generic that is not in the sources."""


class NoGhdlError(GhdlError):
    """GHDL is not installed."""
