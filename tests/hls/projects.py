"""Projects of hls4ml from a list of its own layers, without a framework.

A ``Net`` is a chain of layers as hls4ml's converters describe them; ``write`` lets hls4ml's passes
run over it and write the project.  What a layer needs is in ``hls4ml.model.layers``::

    net = Net(6).dense(4, weight_quantizer=BinaryQuantizer(1)).activation("relu")
    net.write(folder, precision="fixed<12,5>", backend="Vitis")

Weights are small random numbers, the same in every run, where none are given.
"""

from __future__ import annotations

import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Net", "drawn", "edit", "power_of_two"]


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text that a file must have, where it stands first."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def drawn(name: str, *shape: int, scale: float = 0.5) -> np.ndarray:
    """Normal numbers; a name always draws the same ones."""
    return np.random.default_rng(zlib.crc32(name.encode())).normal(0, scale, shape)


def power_of_two(bits: int) -> Any:
    """A quantizer to signed powers of two, whose exponents have so many bits with the sign."""
    from hls4ml.model.quantizers import Quantizer
    from hls4ml.model.types import ExponentPrecisionType

    class PowerOfTwo(Quantizer):
        def __init__(self) -> None:
            super().__init__(bits, ExponentPrecisionType(bits, True))

        def __call__(self, data: Any) -> np.ndarray:
            data = np.asarray(data, float)
            half = 1 << (bits - 2)
            exponents = np.clip(np.round(np.log2(np.abs(data) + 1e-30)), -half, half - 1)
            return np.where(data < 0, -1.0, 1.0) * 2.0**exponents

    return PowerOfTwo()


class Net:
    """A chain of layers; each method adds one behind the last, and gives the net back.

    Every method takes besides its own arguments attributes of hls4ml's layer (``weight_data``,
    ``weight_quantizer``, ``inputs=[names]``), ``name``, ``types={"weight": "fixed<8,3>"}`` and
    ``config={"Strategy": "Resource", "ReuseFactor": 2}``, the layer's part of the hls_config.

    Args:
        shape: of the first input, without the batch.
        types: those of the first input, ``{"result": ...}``.
    """

    def __init__(self, *shape: int, types: dict[str, str] | None = None) -> None:
        self.layers: list[dict[str, Any]] = []
        self.configs: dict[str, dict[str, Any]] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.input(*shape, types=types)

    @property
    def last(self) -> str:
        """The name of the last layer."""
        return self.layers[-1]["name"]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the last layer's output."""
        return self.shapes[self.last]

    def add(self, class_name: str, out: tuple[int, ...], **attributes: Any) -> Net:
        """A layer of hls4ml, with the shape of its output."""
        name = attributes.pop("name", f"{class_name.lower()}{len(self.layers)}")
        config = dict(attributes.pop("config", {}))
        if types := attributes.pop("types", None):
            config["Precision"] = types
        if config:
            self.configs[name] = config
        self.layers.append({"class_name": class_name, "name": name, **attributes})
        self.shapes[name] = tuple(out)
        return self

    def input(self, *shape: int, **more: Any) -> Net:
        """Another input; layers behind it name what they read with ``inputs=[...]``."""
        name = more.pop("name", f"x{len(self.layers) + 1}")
        return self.add("InputLayer", shape, name=name, input_shape=list(shape), **more)

    def dense(self, n_out: int, **more: Any) -> Net:
        """A Dense layer."""
        *rows, n_in = self._read(more)
        return self._weighted(
            "Dense", (*rows, n_out), (n_in, n_out), n_in=n_in, n_out=n_out, **more
        )

    def conv(self, n_filt: int, *window: int, stride: int = 1, pad: int = 0, **more: Any) -> Net:
        """A Conv1D or Conv2D, channels last; the window has one or two sizes."""
        kind = f"{more.pop('kind', 'Conv')}{len(window)}D"
        *sizes, n_chan = self._read(more)
        depthwise = kind.startswith("Depthwise")
        ways = ("width",) if len(window) == 1 else ("height", "width")
        edges = ("left", "right") if len(window) == 1 else ("top", "bottom", "left", "right")
        out = [(n + 2 * pad - k) // stride + 1 for n, k in zip(sizes, window, strict=True)]
        given: dict[str, Any] = {f"pad_{edge}": pad for edge in edges}
        for way, n, k, m in zip(ways, sizes, window, out, strict=True):
            given |= {f"in_{way}": n, f"filt_{way}": k, f"stride_{way}": stride, f"out_{way}": m}
        given |= {"n_chan": n_chan, "n_filt": n_filt, "data_format": "channels_last"}
        given |= {"padding": "same" if pad else "valid"}
        if depthwise:
            given["depth_multiplier"] = n_filt // n_chan
        weights = (*window, n_chan, n_filt // n_chan if depthwise else n_filt)
        return self._weighted(kind, (*out, n_filt), weights, **given, **more)

    def depthwise(self, *window: int, multiplier: int = 1, **more: Any) -> Net:
        """A DepthwiseConv1D or DepthwiseConv2D."""
        return self.conv(self.shape[-1] * multiplier, *window, kind="DepthwiseConv", **more)

    def batchnorm(self, **more: Any) -> Net:
        """A BatchNormalization over the channels."""
        shape = self._read(more)
        key = f"batchnorm{len(self.layers)}"
        more.setdefault("scale_data", drawn(f"{key}s", shape[-1]) + 1)
        more.setdefault("bias_data", drawn(f"{key}b", shape[-1]))
        n_filt = -1 if len(shape) == 1 else shape[-1]
        n_in = math.prod(shape)
        return self.add("BatchNormalization", shape, n_in=n_in, n_filt=n_filt, **more)

    def activation(self, function: str, class_name: str = "Activation", **more: Any) -> Net:
        """An activation by its name in hls4ml: relu, binary_tanh, ..."""
        shape = self._read(more)
        more = {"n_in": math.prod(shape), "activation": function, **more}
        return self.add(class_name, shape, **more)

    def reshape(self, *shape: int, **more: Any) -> Net:
        """A Reshape."""
        return self.add("Reshape", shape, target_shape=list(shape), **more)

    def graph(
        self,
        folder: str | Path,
        *,
        precision: str = "fixed<16,6>",
        outputs: list[str] | None = None,
        model: dict[str, Any] | None = None,
        backend: str = "Vivado",
        **settings: Any,
    ) -> Any:
        """hls4ml's ``ModelGraph`` of it, to be written to a folder.

        Args:
            folder: where ``write()`` will put the project.
            precision: the default type.
            outputs: names of layers; the last by default.
            model: more of the hls_config's ``Model``: Strategy, ReuseFactor, BramFactor, ...
            backend: Vivado or Vitis.
            settings: ``io_type`` and what else hls4ml's ``create_config`` takes.
        """
        import hls4ml

        config = hls4ml.utils.config.create_config(str(folder), backend=backend, **settings)
        whole = {"Precision": {"default": precision}, "ReuseFactor": 1, **(model or {})}
        config["HLSConfig"] = {"Model": whole, "LayerName": self.configs}
        inputs = [x["name"] for x in self.layers if x["class_name"] == "InputLayer"]
        layers = [dict(layer) for layer in self.layers]
        return hls4ml.model.ModelGraph.from_layer_list(config, layers, inputs, outputs)

    def write(self, folder: str | Path, **settings: Any) -> Path:
        """Let hls4ml write the project; see :meth:`graph`."""
        if not hasattr(np, "product"):  # hls4ml 1.3.0 calls it for exponents; NumPy 2 has it not
            np.product = np.prod
        self.graph(folder, **settings).write()
        return Path(folder)

    def _read(self, more: dict[str, Any]) -> tuple[int, ...]:
        """The shape of what a layer reads."""
        return self.shapes[more["inputs"][0]] if "inputs" in more else self.shape

    def _weighted(
        self, kind: str, out: tuple[int, ...], shape: tuple[int, ...], **more: Any
    ) -> Net:
        key = f"{kind}{len(self.layers)}"
        name = "depthwise_data" if kind.startswith("Depthwise") else "weight_data"
        more.setdefault(name, drawn(key, *shape))
        more.setdefault("bias_data", drawn(f"{key}b", out[-1]))
        return self.add(kind, out, **more)
