"""The libraries, in the order of the report: what their documents promise, and what we found."""

from __future__ import annotations

from collections.abc import Sequence

from harness.conformance.subject import Subject

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
        '"Hardware-oriented numerical quantizers", with the mode names of ap_fixed (README)',
        "calad0i",
        (
            "Roundings to nearest, but for RND_CONV, add one half in the dtype of the input, where "
            "the sum can round up: the float below 1/2 becomes 1. HGQ2 uses the same kernels.",
            "WRAP takes the remainder in the dtype too, so large magnitudes lose their low bits.",
            "float_quantize_np adds 1e-7 before the logarithm, which makes steps of small values "
            "too coarse.",
            "WRAP_SM serves RND and RND_CONV alone, and says so. NaN stays NaN.",
        ),
    ),
    Subject(
        "HGQ2",
        "HGQ2",
        "FixedPointQuantizerKIF, FloatPointQuantizer",
        "bit-exact models for hls4ml and da4ml, in Keras (README)",
        "hgq",
        ("See quantizers, whose kernels it runs in float32. NaN stays NaN.",),
    ),
    Subject(
        "QONNX",
        "qonnx",
        "int_quant, float_quant",
        "the operators' reference execution; rounding modes by their names",
        "qonnx",
        (
            "HALF_UP adds one half in the dtype of the input, where the sum can round up.",
            "float_quant takes the logarithm in floats, so values just below a power of two are "
            "rounded as if they were above it; infinities become NaN.",
        ),
    ),
    Subject(
        "brevitas",
        "brevitas",
        "IntQuant, FloatQuant",
        "scaled integers by a given float-to-integer function, in a narrow range if asked for "
        "(IntQuant); minifloats with the specials of OCP or FNUZ (float_quant_ocp, FloatClamp)",
        "brevitas",
        (
            "FloatQuant takes the logarithm in floats, so directed roundings of values just below "
            "a power of two are one step off; to nearest none differs. Infinities become NaN.",
        ),
    ),
    Subject(
        "AIMET",
        "aimet-torch",
        "affine.quantize_dequantize, FloatQuantizeDequantize",
        "clamp(round(x / scale) - offset, qmin, qmax); floats of given bits clamped to the IEEE "
        "maximum, or, for a dtype, as x.to(dtype) (docstrings)",
        "aimet",
        (
            "In float64, types above 24 bits go through float32.",
            "For a dtype it clamps before it casts, where its docstring has infinities and NaN.",
            "Floats of given bits reach a binade lower than IEEE's, which no document says.",
        ),
    ),
    Subject(
        "apytypes",
        "apytypes",
        "APyFixedArray.cast, APyFloatArray.cast",
        "bit-accurate, with the mode names of ap_fixed as aliases (docs)",
        "apytypes",
        ("What rounds up to the smallest normal float becomes 0.",),
    ),
    Subject(
        "fxpmath",
        "fxpmath",
        "Fxp()",
        "fixed-point arithmetic; its README has a table of its mode names and SystemC's",
        "fxpmath",
        (
            "Values of more than 53 bits pass through float64.",
            "nearest_posinf and its kin take the fraction by a subtraction that rounds.",
            "Infinities raise; NaN becomes 0.",
        ),
    ),
    Subject(
        "fpbinary",
        "fpbinary",
        "FpBinary, resize",
        "each rounding and overflow is defined with examples; numbers of bits may be negative "
        "(docstrings)",
        "fpbinary",
        (
            "The constructor adds one half in float64, where the sum can round up.",
            "resize keeps no sign where source and target have no bit in common.",
        ),
    ),
    Subject(
        "gfloat",
        "gfloat",
        "round_ndarray",
        "any format, in the laws of RoundMode, saturating on request; the result is a subset of "
        "the format's values (docstrings)",
        "gfloat",
        (
            "Saturation clamps above alone: negative values stay so in unsigned formats.",
            "NaN stays NaN in formats without one, where the docstring has an error.",
        ),
    ),
    Subject(
        "ml_dtypes",
        "ml_dtypes",
        "ndarray.astype",
        "NumPy dtypes of small floats",
        "ml_dtypes",
        ("A float64 goes through float32, so it is rounded twice; its documents do not say.",),
    ),
    Subject(
        "torch",
        "torch",
        "fake_quantize_per_tensor_affine, Tensor.to",
        "nearest, then clamped to quant_min and quant_max (docs)",
        "torch",
        (
            "A float64 goes through float32 on its way to smaller floats, and is rounded twice.",
            "fake_quantize makes a code of NaN.",
        ),
    ),
    Subject(
        "torchao",
        "torchao",
        "quantize_affine, f32_to_f4/f6_unpacked, to_fp8_saturated",
        "floats to nearest, ties to even, clamped to the largest (custom_fp_utils.py); integers "
        "between quant_min and quant_max",
        "torchao",
        ("NaN becomes a number in formats without one, as it says.",),
    ),
    Subject(
        "pychop",
        "pychop",
        "Chopf, Chop, P3109",
        "Qm.n, rounded, then clamped (fix_point.rst); floats of any bits in the roundings that "
        "Chop's docstring numbers; p3109_quantize's laws",
        "pychop",
        (
            "Chop makes 0 or a value beyond the largest of the binade above it, not infinity.",
            "Chop's roundings 7 and 8 apply the sign twice, and take ties within 1e-6; 9 changes "
            "exact values.",
        ),
    ),
    Subject(
        "FxPyTorch",
        "FxPyTorch",
        "fxp.symmetric_quant.quantize",
        "symmetric, linear, with a power-of-two scale (README)",
        "fxpytorch",
        ("NaN stays NaN.",),
    ),
    Subject(
        "da4ml",
        "da4ml",
        "FixedVariableArray.quantize, CombLogic.predict",
        '"All operation in da4ml is bit-accurate" (README); WRAP, SAT, SAT_SYM, TRN, RND',
        "da4ml",
        (
            "A signed value into a wider unsigned type loses the upper bits of its wrap.",
            "predict extends the sign wrongly beyond 32 bits; the same trace run in Python is "
            "right.",
        ),
    ),
    Subject(
        "alkaid",
        "alkaid",
        "FVArray.quantize, CombLogic.predict",
        "WRAP, SAT, SAT_SYM, TRN, RND (docstring of FVariable.quantize)",
        "alkaid",
        (
            "SAT and SAT_SYM into 26 bits or more find the lowest bit of a bound in float32.",
            "Floats beyond 64 bits do not wrap; no range of inputs is documented.",
        ),
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
    for name in own:
        found.append(Subject(name, "", name, "the user's own", name))
        found[-1].load()
    return found or list(SUBJECTS)
