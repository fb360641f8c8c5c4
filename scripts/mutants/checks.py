"""Which checks should see a mutant of which file, the quickest first.

Checks are node ids of pytest.  Where the file compiles kernels they run as plain Python, which
takes no compiler and serves small inputs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

__all__ = ["AREAS", "DESELECTED", "Area", "area_of"]

NUMPY = "tests/quantize/test_quantize_numpy.py"
TORCH = "tests/quantize/test_quantize_torch.py"
EDGES = tuple(
    f"tests/quantize/test_quantize_edges.py::test_{name}"
    for name in (
        "signalling_nan",
        "booleans_hold_zero_and_one_alone",
        "tensor_views",
        "unaligned_memory",
    )
)
CHANCE = "tests/quantize/test_quantize_stochastic.py"
SMALL = "tests/quantize/test_quantize_small.py"
ENDS = f"{SMALL}::test_a_dtype_ends_where_it_does"
FIXED = tuple(
    f"{SMALL}::test_{name}"
    for name in (
        "integers",
        "decoded",
        "points_beyond_a_double",
        "doubles_in_fixed_point",
        "types_as_wide_as_the_dtype",
        "casts_into_fixed_point",
    )
)
FLOATS = tuple(
    f"{SMALL}::test_{name}" for name in ("doubles_in_floats", "fractions", "casts_of_floats")
)
BINARY = tuple(
    f"tests/quantize/test_quantize_floats.py::test_{name}"
    for name in ("casts", "binary_and_its_zero")
)
DECOMPOSE = "tests/quantize/test_quantize_floats.py::test_decompose"
REFUSED = tuple(f"tests/quantize/test_quantize_floats.py::test_refused{s}" for s in ("", "_kinds"))
OPERATORS = "tests/quantize/test_quantize_small_operators.py"
TWO_WORDS = "tests/quantize/test_quantize_two_words.py"
WIDTHS = (
    f"{SMALL}::test_a_type_for_each_element",
    f"{SMALL}::test_a_minifloat_for_each_element",
    *(
        f"tests/quantize/test_quantizers_interface.py::test_{name}"
        for name in (
            "refused",
            "arrays_of_minifloat_widths",
            "widths_broadcast_and_whole_floats_are_integers",
        )
    ),
)
KERNELS = "tests/hls/test_hls_kernels.py::test_a_layer_is_its_kernel"
EXTENTS = "tests/hls/test_hls_extents.py::test_what_a_layer_computes_is_within_its_bounds"
SPATIAL = (
    "zeropad1d_cl; zeropad1d_cf; zeropad2d_cl; zeropad2d_cf; cropping1d_cl; cropping2d_cl; "
    "cropping2d_cf; resize_nearest"
)
#: What asks for compiled code, or for another process.
DESELECTED = (
    "tests/quantize/test_quantize_edges.py::test_no_floating_point_error_is_raised",
    "tests/quantize/test_quantize_numpy.py::test_importing_is_light",
)
REFERENCE = (
    "tests/reference/test_reference_definition.py",
    "tests/reference/test_reference_floats.py",
    "tests/reference/test_reference_facts.py",
)


@dataclass(frozen=True)
class Area:
    """Files that the same checks see.

    Attributes:
        files: from the root of the project.
        share: one mutant in so many is run, unless all are asked for.
        checks: node ids of pytest, or of a simulator.
        compiled: whether Numba compiles.
        afresh: whether it compiles every file anew: of a mutant it would find what it compiled of
            the file as it stands, and of a file that calls it too.
    """

    files: tuple[str, ...]
    share: int
    checks: tuple[str, ...]
    compiled: bool = False
    afresh: bool = False

    @property
    def simulator(self) -> str | None:
        """The simulator that checks the area, if one does."""
        return self.checks[0].removeprefix("simulate:") if ":" in self.checks[0][:9] else None

    def digest(self, root: Path) -> str:
        """Of the text of the checks: a survivor is tried again when they change."""
        total = hashlib.sha256("\n".join(self.checks).encode())
        for file in sorted({check.split("::")[0] for check in self.checks}):
            if (root / file).is_file():
                total.update((root / file).read_bytes())
        return total.hexdigest()[:12]


def _quantize(name: str, *checks: str) -> Area:
    return Area((f"harness/quantize/{name}.py",), 9, checks)


def _layers(names: str, *tests: str, kernels: str = "", bounded: str = "") -> Area:
    """Layers, by their tests, by their bounds, and by the C++ kernels.

    Args:
        names: of the files.
        tests: of the files of tests.
        kernels: those that layers are held to.
        bounded: kernels of which the bounds alone are looked at.
    """
    files = tuple(f"harness/hls/layers/{name}.py" for name in names.split())
    held, inside = (
        [f"{check}[{name}]" for name in several.split("; ") if name]
        for check, several in ((KERNELS, kernels), (EXTENTS, f"{kernels}; {bounded}"))
    )
    return Area(files, 16, (*(f"tests/hls/test_hls_{t}.py" for t in tests), *inside, *held), True)


def _law(names: str, *tests: str) -> Area:
    """The law as terms, by what holds it against the reference."""
    files = tuple(f"harness/prove/law/{name}.py" for name in names.split())
    return Area(files, 9, tuple(f"tests/prove/test_prove_{t}.py" for t in tests))


AREAS = (
    Area(
        tuple(
            f"harness/reference/{name}.py"
            for name in ("__init__", "arithmetic", "comparisons", "fixed", "floats")
        ),
        9,
        (*REFERENCE, OPERATORS, *FIXED, *FLOATS),
        True,
    ),
    _quantize("__init__", DECOMPOSE, *REFUSED, OPERATORS, *EDGES, *WIDTHS, NUMPY),
    _quantize("arithmetic", OPERATORS, NUMPY, TORCH),
    _quantize("operators", OPERATORS, NUMPY, TORCH),
    _quantize("wide_operators", OPERATORS, NUMPY),
    _quantize("arrays", *EDGES, *FIXED, *FLOATS, DECOMPOSE, *REFUSED, NUMPY, CHANCE),
    _quantize("elementwise", *WIDTHS),
    _quantize("fixed_codes", *FIXED, OPERATORS, NUMPY, TORCH),
    _quantize("fixed_values", *FIXED, NUMPY),
    _quantize("loops", "tests/quantize/test_quantize_loops.py", *FIXED, NUMPY),
    _quantize("float_codes", *FLOATS),
    _quantize("float_values", *FLOATS),
    _quantize("plan", ENDS, *FIXED, *FLOATS, NUMPY, *EDGES),
    _quantize("stochastic", CHANCE),
    _quantize("tensors", *FIXED, *FLOATS, *EDGES, OPERATORS, TORCH, CHANCE, *BINARY),
    # Two words overflow as the processor's do, which Python's integers do not.
    Area(("harness/quantize/two_words.py",), 9, (TWO_WORDS,), True, True),
    Area(("harness/quantize/held.py",), 9, (TWO_WORDS,), True),
    _quantize("wide", *FIXED, *FLOATS, NUMPY, OPERATORS),
    Area(
        ("harness/fixed.py",),
        9,
        ("tests/hls/test_hls_fixed.py", "tests/prove/test_prove_carried.py"),
        True,
    ),
    Area(
        ("harness/hls/layers/accumulate.py", "harness/hls/layers/wide_sums.py"),
        16,
        ("tests/hls/test_hls_accumulate.py", "tests/prove/test_prove_sums.py"),
        True,
        True,
    ),
    _layers(
        "activations hard lookup tables elementwise",
        "activations",
        "tables",
        kernels="sigmoid; tanh; softplus; prelu; elu; unary_lut; hard_sigmoid; thresholded_relu",
        bounded="linear; relu; relu_max; leaky_relu; binary_tanh; softsign; selu; softmax, stable",
    ),
    _layers(
        "softmax",
        "softmax",
        kernels="softmax, latency; softmax, stable; softmax, legacy; softmax, argmax",
    ),
    _layers(
        "pooling windows",
        "pooling",
        kernels="pooling1d, Average; pooling2d, Max; pooling2d, Average; global_pooling2d, Average",
        bounded="pooling1d, Max; global_pooling1d, Max",
    ),
    _layers(
        "merge",
        "merge",
        kernels="add; multiply; average; dot1d; concatenate2d; concatenate3d",
        bounded="subtract; maximum; minimum",
    ),
    _layers("norm", "norm", kernels="layernormalize"),
    _layers("batchnorm", "batchnorm", kernels="normalize, per channel; normalize_binary_tanh"),
    _layers("einsum", "einsum", kernels="einsum; einsum_dense"),
    _layers("shape embedding", "shape", kernels="transpose; embedding"),
    _layers("spatial", "pooling", kernels=SPATIAL),
    _layers(
        "conv dense depthwise separable",
        "conv",
        kernels="conv1d, latency; conv2d, resource; dense_resource, reuse <= inputs; "
        "depthwise_conv1d; depthwise_conv2d; separable_conv1d; separable_conv2d",
    ),
    _layers(
        "cells recurrent",
        "recurrent",
        kernels="lstm, resource; gru, static, PyTorch's order",
        bounded="lstm, not static; gru, not static; gru, initial states; bidirectional, not static",
    ),
    _layers(
        "layer wrappers",
        "wrappers",
        "model",
        kernels="time_distributed, 3d",
        bounded="time_distributed, 2d; add; softmax, latency",
    ),
    _law("fixed", "law", "law_doubles"),
    _law("doubles", "law_doubles"),
    _law("casts floats", "law_floats"),
    _law("bits comparisons operators", "law_operators"),
    Area(("golden/rtl/ap_quantize.sv",), 4, ("simulate:icarus",)),
    Area(("golden/rtl/ap_quantize.vhd",), 4, ("simulate:ghdl",)),
)


def area_of(path: str) -> Area:
    """The area of a file."""
    return next(area for area in AREAS if path in area.files)
