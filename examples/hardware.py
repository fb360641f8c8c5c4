"""From a trained network to C++ that computes the very same codes; then one bit is taken away.

    python examples/hardware.py [FOLDER]

Trains scikit-learn's digits with quantizers, makes the typed model, lets hls4ml write its project
to FOLDER, and holds the compiled C++ against the typed model.  Then the integer part of one
accumulator loses a bit in the project, as a mistake of configuration would have it, and the
comparison finds where; the row that shows it is left as FOLDER/reproduce.cpp.
"""

import contextlib
import io
import re
import sys
import tempfile
from pathlib import Path

import torch
from digits import accuracy, data, train
from torch import nn

from harness.hls import (
    Project,
    compare,
    from_torch,
    hls4ml_config,
    suggest_types,
    with_typed_weights,
)
from harness.nn import compute_encodings
from harness.nn.model import prepare

#: Six bits of weight and activation, of which calibration finds the binary point.
CONFIG = {
    "types": {
        "Linear": {"weight": {"fixed": {"width": 6}}, "bias": {"fixed": {"width": 8}}},
        "ReLU": {"output": {"fixed": {"width": 6, "signed": False}}},
    },
    "names": {"0": {"input": {"fixed": {"width": 6, "signed": False}}}},
}


def write(model: nn.Module, config: dict, folder: Path) -> None:
    """Let hls4ml write a project; it tells every step of that, which is not shown."""
    with contextlib.redirect_stdout(io.StringIO()):
        import hls4ml  # here, because it takes seconds

        options = {"hls_config": config, "output_dir": str(folder), "io_type": "io_parallel"}
        converters = hls4ml.converters
        converters.convert_from_pytorch_model(model, backend="Vivado", **options).write()


def take_a_bit(folder: Path, layer: str) -> None:
    """One integer bit less for a layer's accumulator."""
    defines = folder / "firmware" / "defines.h"
    pattern = rf"ap_fixed<(\d+),(\d+)> {layer}_accum_t"
    text = defines.read_text()
    found = re.search(pattern, text)
    width, integer = int(found[1]) - 1, int(found[2]) - 1
    defines.write_text(re.sub(pattern, f"ap_fixed<{width},{integer}> {layer}_accum_t", text))


def main(folder: Path) -> None:
    torch.manual_seed(0)
    x, y, test_x, test_y = data()
    net = nn.Sequential(
        nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 10)
    )
    train(net, x, y, 20, 2e-3)
    model = prepare(net, CONFIG)
    with compute_encodings(model):
        model(x)
    train(model, x, y, 5, 5e-4)

    typed = from_torch(model)
    same = torch.equal(typed(test_x), model.double()(test_x.double()))
    print(f"quantized model: accuracy {accuracy(typed, test_x, test_y):.3f}")
    print(f"typed model: {'the same values' if same else 'OTHER VALUES'}")

    # Accumulators that hold what the data need, and not one bit more.
    needed = suggest_types(typed, x)
    typed = typed.retyped(
        {name: {"accum": types["accum"]} for name, types in needed.items() if "accum" in types}
    )
    write(with_typed_weights(model, typed), hls4ml_config(typed), folder)
    print(f"project:\n{compare(typed, Project.read(folder), test_x)}")

    take_a_bit(folder, "_2")
    found = compare(typed, Project.read(folder), test_x)
    print(f"one bit less: {found.first}")
    (folder / "reproduce.cpp").write_text(found.first.cpp)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            main(Path(scratch) / "digits")
