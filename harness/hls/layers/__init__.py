"""Typed layers, one file for each family of hls4ml's kernels."""

__all__: list[str] = []
