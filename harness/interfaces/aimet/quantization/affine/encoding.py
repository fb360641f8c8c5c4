"""``AffineEncoding``: scale, offset and the range of integers, and the files' entries of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from harness.interfaces.aimet.quantization.affine.backends import torch_builtins
from harness.interfaces.aimet.quantization.affine.grid import Grid, range_of
from harness.interfaces.aimet.quantization.base import EncodingBase
from harness.interfaces.aimet.quantization.tensor import as_plain

__all__ = ["AffineEncoding"]

#: The narrowest dtype of integers that holds a range; the first that does.
_DTYPES = (torch.uint8, torch.int8, torch.int16, torch.int32)


class AffineEncoding(Grid, EncodingBase):
    """What an affine quantizer quantizes with: ``(q + offset) * scale``, q from qmin to qmax.

    Args:
        scale: a tensor, of the shape of the encoding.
        offset: the same.
        *args: ``bitwidth, signed=False, symmetry=False, block_size=None``, or ``qmin, qmax,
            symmetry=False, block_size=None``.
        **kwargs: the same by name.

    Raises:
        TypeError: for arguments of neither spelling.
        ValueError: for ``qmin >= qmax``.
    """

    mapping = "affine"
    _tensors = ("scale", "offset")

    def __init__(self, scale: Tensor, offset: Tensor, *args: Any, **kwargs: Any) -> None:
        symmetry, rest = kwargs.pop("symmetry", None), list(args)
        if len(rest) > 2:
            symmetry = rest.pop(2)
        self.qmin, self.qmax, self._block_size = range_of("AffineEncoding", rest, kwargs)
        self._scale, self._offset, self._symmetry = scale, offset, bool(symmetry)

    @property
    def scale(self) -> Tensor:
        """The size of a step."""
        return self._scale

    @property
    def offset(self) -> Tensor:
        """What is added to an integer before it is scaled."""
        return self._offset

    @property
    def min(self) -> Tensor:
        """The lowest value."""
        return (self.offset + self.qmin) * self.scale

    @property
    def max(self) -> Tensor:
        """The highest value."""
        return (self.offset + self.qmax) * self.scale

    @property
    def symmetry(self) -> bool:
        """Whether the quantizer was symmetric."""
        return self._symmetry

    @property
    def block_size(self) -> Sequence[int] | None:
        """Elements of each axis that share a scale."""
        return self._block_size

    @property
    def dtype(self) -> torch.dtype:
        """The narrowest dtype of integers that holds the range, int32 at most."""
        for dtype in _DTYPES:
            if torch.iinfo(dtype).min <= self.qmin and self.qmax <= torch.iinfo(dtype).max:
                return dtype
        return torch.int32

    def quantize(self, input: Tensor) -> Tensor:
        """The integers of ``input``, as floats in its dtype."""
        x, scale, offset = self._plain(input)
        return torch_builtins.quantize(x, scale, offset, self.qmin, self.qmax, self.block_size)

    def dequantize(self, input: Tensor) -> Tensor:
        """The values of integers."""
        return torch_builtins.dequantize(*self._plain(input), self.block_size)

    def _plain(self, input: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        tensors = (input, self.scale, self.offset)
        x, scale, offset = map(as_plain, tensors)
        return x, scale, offset

    def _to_legacy_format(self) -> list[dict[str, Any]]:
        """The entries of files of version 0.6, which count integers from 0."""
        columns = (self.min, self.max, self.scale, self.offset)
        rows = zip(*(each.detach().flatten().tolist() for each in columns), strict=True)
        return [
            {
                "min": low,
                "max": high,
                "scale": scale,
                "offset": int(offset) + self.qmin,
                "bitwidth": self.bitwidth,
                "dtype": "int",
                "is_symmetric": str(self.symmetry),
            }
            for low, high, scale, offset in rows
        ]

    def to_qnn_encoding_dict(self, encoding_version: str = "0.6.1") -> Any:
        """The entry of a file: of version 0.6.1, 1.0.0, or 2.0.0, which is ONNX's QuantizeLinear.

        Raises:
            ValueError: for another version, or an encoding the version has no words for.
        """
        if encoding_version.startswith("0.6"):
            return self._to_legacy_format()
        if encoding_version == "1.0.0":
            return self._in_version_1()
        if encoding_version == "2.0.0":
            return self._in_version_2()
        raise ValueError(f"encodings have versions 0.6.1, 1.0.0 and 2.0.0, not {encoding_version}")

    def _in_version_1(self) -> dict[str, Any]:
        kinds = {"pertensor": "PER_TENSOR", "perchannel": "PER_CHANNEL", "blockwise": "PER_BLOCK"}
        if self.granularity not in kinds:
            raise ValueError(f"version 1.0.0 has no encodings of shape {tuple(self.scale.shape)}")
        entry = {
            "dtype": "INT",
            "bw": self.bitwidth,
            "is_sym": self.symmetry,
            "enc_type": kinds[self.granularity],
            "scale": self.scale.detach().flatten().tolist(),
            "offset": [int(o) + self.qmin for o in self.offset.detach().flatten().tolist()],
        }
        if self.block_size is not None:
            entry["block_size"] = self.block_size[self._block_axis()]
            if entry["block_size"] == -1:
                raise ValueError("version 1.0.0 has no block size of -1; give the number")
        return entry

    def _in_version_2(self) -> dict[str, Any]:
        scale, zero = self.scale.detach(), -self.offset.detach().to(torch.int64)
        entry: dict[str, Any] = {"output_dtype": f"{'' if self.signed else 'u'}int{self.bitwidth}"}
        long = [k for k, n in enumerate(scale.shape) if n > 1]
        if self.block_size is not None:
            axis = self._block_axis()
            entry |= {"axis": axis, "block_size": self.block_size[axis]}
        elif len(long) > 1:
            raise ValueError(f"version 2.0.0 has no encodings of shape {tuple(scale.shape)}")
        elif long:
            entry["axis"] = long[0]
            scale, zero = scale.flatten(), zero.flatten()
        else:
            scale, zero = scale.reshape(()), zero.reshape(())
        entry["y_scale"] = scale.tolist()
        if bool(zero.any()):
            entry["y_zero_point"] = zero.tolist()
        return entry

    def _block_axis(self) -> int:
        """The one axis that is split into blocks of more than one element."""
        assert self.block_size is not None
        split = [k for k, size in enumerate(self.block_size) if size != 1]
        if len(split) != 1:
            raise ValueError(f"files have blocks along one axis, not {tuple(self.block_size)}")
        return split[0]
