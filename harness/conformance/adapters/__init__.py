"""One module a library: its own function behind ``quantize(x, t)``."""
