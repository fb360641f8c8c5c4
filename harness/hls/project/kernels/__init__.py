"""How each kernel's call becomes a typed layer; importing it enters all of them."""

from harness.hls.project.kernels import einsum, elements, moves, products  # noqa: F401

__all__: list[str] = []
