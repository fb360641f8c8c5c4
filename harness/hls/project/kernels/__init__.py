"""How each kernel's call becomes a typed layer; importing it enters all of them."""

from harness.hls.project.kernels import (  # noqa: F401
    activations,
    einsum,
    elements,
    garnet,
    generated,
    moves,
    products,
    recurrent,
    streams,
    windows,
)

__all__: list[str] = []
