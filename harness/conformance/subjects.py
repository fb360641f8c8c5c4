"""The libraries, in the order of the report."""

from __future__ import annotations

from collections.abc import Sequence

from harness.conformance.subject import Subject
from harness.verify.subjects import load_function

__all__ = ["SUBJECTS", "chosen"]

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
        '"Hardware-oriented numerical quantizers", with the mode names of ap_fixed',
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
        "fxpmath",
        "fxpmath",
        "Fxp()",
        "fixed-point arithmetic, with its own names of modes",
        "fxpmath",
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


def chosen(names: Sequence[str], own: Sequence[str]) -> list[Subject]:
    """The libraries of these names, and functions of the user's own; all libraries, if neither.

    Args:
        names: of libraries, in any case.
        own: functions ``f(x, type)``, as package.module:function.

    Raises:
        ValueError: if a name is nobody's, or its library is not installed.
        SubjectError: if there is no such function.
    """
    known = {subject.name.lower(): subject for subject in SUBJECTS}
    found = []
    for name in dict.fromkeys(map(str.lower, names)):
        if name not in known:
            allowed = ", ".join(subject.name for subject in SUBJECTS)
            raise ValueError(f"no adapter is called {name!r}; allowed: {allowed}")
        try:
            known[name].load()
        except ImportError as error:
            subject = known[name]
            remedy = f"pip install {subject.distribution}"
            raise ValueError(f"{subject.name} cannot be imported ({error}); {remedy}") from None
        found.append(known[name])
    functions = (Subject(name, "", name, "the user's own", load_function(name)) for name in own)
    return [*found, *functions] if names or own else list(SUBJECTS)
