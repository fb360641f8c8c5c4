"""The libraries, in the order of the report."""

from __future__ import annotations

from collections.abc import Sequence

from harness.conformance.subject import Subject
from harness.verify.subjects import load_function

__all__ = ["SUBJECTS", "own", "subjects_named"]

SUBJECTS = (
    Subject(
        "harness",
        "hls-harness",
        "harness.quantize_codes, cast_codes",
        "bit for bit what ap_fixed and ap_float compute; here as a control",
        "ours",
    ),
    Subject(
        "quantizers",
        "quantizers",
        "get_fixed_quantizer_np, float_quantize_np",
        "\"Hardware-oriented numerical quantizers\", with the mode names of ap_fixed",
        "calad0i",
    ),
    Subject(
        "HGQ2",
        "HGQ2",
        "FixedPointQuantizerKIF, FloatPointQuantizer",
        "bit-exact models for hls4ml and da4ml, in Keras",
        "hgq",
    ),
    Subject(
        "QONNX",
        "qonnx",
        "int_quant, float_quant",
        "the operators' reference execution; rounding modes by their names",
        "qonnx",
    ),
    Subject(
        "apytypes",
        "apytypes",
        "APyFixedArray.cast, APyFloatArray.cast",
        "bit-accurate, with the mode names of ap_fixed as aliases",
        "apytypes",
    ),
    Subject(
        "fxpmath", "fxpmath", "Fxp()", "fractional fixed-point arithmetic by its mode names", "fxpmath"
    ),
    Subject(
        "ml_dtypes",
        "ml_dtypes",
        "ndarray.astype",
        "NumPy dtypes of small floats; round to nearest, ties to even",
        "ml_dtypes",
    ),
    Subject(
        "torch",
        "torch",
        "fake_quantize_per_tensor_affine, Tensor.to",
        "nearest, then clamped to quant_min and quant_max",
        "torch",
    ),
)


def subjects_named(names: Sequence[str]) -> list[Subject]:
    """The libraries of these names; all, if there are none.

    Raises:
        ValueError: if a name is nobody's.
    """
    known = {subject.name.lower(): subject for subject in SUBJECTS}
    unknown = [name for name in names if name.lower() not in known]
    if unknown:
        allowed = ", ".join(subject.name for subject in SUBJECTS)
        raise ValueError(f"no adapter is called {unknown[0]!r}; allowed: {allowed}")
    return [known[name.lower()] for name in dict.fromkeys(names)] if names else list(SUBJECTS)


def own(spelling: str) -> Subject:
    """The user's function ``f(x, type)`` as a library.

    Raises:
        SubjectError: if there is none.
    """
    return Subject(spelling, "", spelling, "the user's own", load_function(spelling))
