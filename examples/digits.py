"""Train on scikit-learn's digits: in float, then with quantization in the loop.

    python examples/digits.py [PLOT.png]

Prints the accuracy of the float model, of the same model quantized after training, and of the model
trained further with its quantizers; writes a plot of a layer's values before and after.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

from harness.nn import compute_encodings
from harness.nn.model import prepare

#: Four bits of weight, and activations of which calibration finds the binary point.
CONFIG = {
    "types": {
        "Linear": {"weight": {"fixed": {"width": 4}}, "input": {"fixed": {"width": 6}}},
        "ReLU": {"output": {"fixed": {"width": 6, "signed": False}}},
    },
}


def data() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Images of 8 x 8 in [0, 1] and their digits, to train with and to test with."""
    images, digits = load_digits(return_X_y=True)
    x = torch.tensor(images, dtype=torch.float32) / 16
    y = torch.tensor(digits)
    train, test = train_test_split(range(len(x)), test_size=0.25, random_state=0, stratify=digits)
    return x[train], y[train], x[test], y[test]


def train(model: nn.Module, x: Tensor, y: Tensor, epochs: int, rate: float) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
            optimizer.step()


@torch.no_grad()
def accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    return float((model(x).argmax(1) == y).float().mean())


def plot(before: Tensor, after: Tensor, path: Path) -> None:
    """The weights of the first layer, as they are and as the hardware sees them."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharex=True)
    for axis, values, title in zip(axes, (before, after), ("float", "quantized"), strict=True):
        axis.hist(values.flatten().numpy(), bins=81)
        axis.set_title(f"first layer, {title} weights")
        axis.set_xlabel("value")
    axes[0].set_ylabel("how many")
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main(path: Path) -> None:
    torch.manual_seed(0)
    x, y, test_x, test_y = data()
    model = nn.Sequential(
        nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 10)
    )
    train(model, x, y, epochs=40, rate=3e-3)
    print(f"float                       {accuracy(model, test_x, test_y):.4f}")
    before = model[0].weight.detach().clone()
    model = prepare(model, CONFIG)
    with compute_encodings(model):
        model(x)
    print(f"quantized after training    {accuracy(model, test_x, test_y):.4f}")
    train(model, x, y, epochs=25, rate=1e-3)
    print(f"trained with quantization   {accuracy(model, test_x, test_y):.4f}")
    quantizer = model[0].param_quantizers["weight"]
    print(f"first layer: weights {quantizer.format}, inputs {model[0].input_quantizers[0].format}")
    plot(before, quantizer(model[0].weight.detach()), path)
    print(f"plot: {path}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("digits.png"))
