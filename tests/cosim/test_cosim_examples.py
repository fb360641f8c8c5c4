"""The examples: a right model agrees, a natural one does not, and a fault of one bit is found."""

import importlib.util
from pathlib import Path

import pytest

from harness.cosim import compare, cpp

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "cosim"


def load_models():
    spec = importlib.util.spec_from_file_location("cosim_models", FOLDER / "models.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MODELS = load_models()
#: Source, function, what cpp() is told beside, the right model, the natural one.
CASES = {
    "fir": ("fir.cpp", "fir", {}, MODELS.fir, MODELS.fir_float),
    "cordic": ("cordic.cpp", "cordic", {}, MODELS.cordic, MODELS.cordic_float),
    "average": ("average.cpp", "average", {}, MODELS.Average(), MODELS.AverageFloat()),
    "butterfly": (
        "butterfly.cpp",
        "butterfly",
        {"sizes": {"in": 8}},
        MODELS.butterfly,
        MODELS.butterfly_float,
    ),
    "pid": ("pid.cpp", "pid", {}, MODELS.Pid(), MODELS.PidFloat()),
    "matvec": ("matvec.h", "matvec<3, 4>", {}, MODELS.matvec, MODELS.matvec_float),
}
#: What is written in a source, and what is planted there instead.
FAULTS = {
    "fir": ("0.28125, 0.5", "0.283203125, 0.5"),
    "cordic": ("0.12435499", "0.12441603"),
    "average": ("<16, 4, AP_RND>", "<15, 4, AP_RND>"),
    "butterfly": ("a.im - t.im;", "a.im - t.im + part_t(0.001953125);"),
    "pid": ("<13, 5> slope", "<12, 4> slope"),
    "matvec": ("ap_int<12> sum", "ap_int<11> sum"),
}


@pytest.mark.parametrize("name", CASES)
def test_models_are_told_apart(name, tmp_path):
    source, top, more, right, natural = CASES[name]
    text, fault = FAULTS[name]
    function = cpp(FOLDER / source, top, **more)
    found = compare(right, function, examples=600)
    assert found.agrees, str(found)
    assert found.count >= 600
    wrong = compare(natural, function, examples=2000)
    assert wrong.difference is not None, name
    original = (FOLDER / source).read_text(encoding="utf-8")
    assert text in original
    faulty = tmp_path / source
    faulty.write_text(original.replace(text, fault), encoding="utf-8")
    planted = compare(function, cpp(faulty, top, **more), examples=2000)
    assert planted.difference is not None
    assert planted.difference.port is not None
