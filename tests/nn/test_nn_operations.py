"""What torch has no one-liner for, against loops over single elements, and as modules."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from harness.nn import functional, operations

BOXES = torch.tensor(
    [
        [0.0, 0.0, 1.0, 1.0],
        [0.0, 0.1, 1.0, 1.1],
        [0.0, -0.1, 1.0, 0.9],
        [0.0, 10.0, 1.0, 11.0],
        [0.0, 10.1, 1.0, 11.1],
        [0.0, 100.0, 1.0, 101.0],
    ]
)
SCORES = torch.tensor([0.9, 0.75, 0.6, 0.95, 0.5, 0.3])


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def numbers(*shape: int) -> Tensor:
    return torch.arange(1.0, 1 + math.prod(shape)).view(shape)


def test_options_are_arguments_of_the_constructor() -> None:
    """By place or by name; what is missing or unknown is refused when the module is made."""
    module = functional.NonMaxSuppression(0.5, max_output_boxes_per_class=3)
    assert (module.iou_threshold, module.score_threshold) == (0.5, None)
    assert repr(functional.Concat(axis=1)) == "Concat(axis=1)"
    with pytest.raises(TypeError, match="missing a required argument: 'block_size'"):
        functional.DepthToSpaceDCRMode()
    with pytest.raises(TypeError, match="unexpected keyword argument 'axes'"):
        functional.Concat(axes=1)
    with pytest.raises(TypeError, match="too many positional arguments"):
        functional.Add(1)


def test_options_of_torch_are_arguments_of_the_call() -> None:
    x = numbers(2, 3)
    assert torch.equal(functional.Mean()(x, -1, keepdim=True), x.mean(-1, keepdim=True))
    assert torch.equal(functional.Max()(x, dim=1).values, x.amax(1))
    assert torch.equal(functional.Where()(x > 2)[0], torch.where(x > 2)[0])
    assert functional.Shape()(x) == (2, 3)
    assert functional.Shape()(x, 1) == 3


def test_floor_divide_rounds_down_and_has_a_gradient() -> None:
    x = torch.tensor([-7.0, 7.0, 6.0], requires_grad=True)
    y = torch.tensor([2.0, -2.0, 3.0])
    result = operations.floor_divide(x, y)
    assert result.tolist() == torch.floor_divide(x.detach(), y).tolist() == [-4, -4, 2]
    result.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "key",
    [
        [[None, None, None]],
        [[1, 4, 2]],
        [[-3, None, 1], [0, -1, 2]],
        [[None, None, -1]],
        [[4, 0, -2], [None, None, -1]],
        [[3, 3, 1]],
        [[0, 3, -1]],
        [[-100, 100, 3], [100, -100, -3]],
    ],
)
def test_strided_slice_is_numpys(key: list[list[int | None]]) -> None:
    x = numbers(5, 4, 2)
    expected = x.numpy()[tuple(slice(*bounds) for bounds in key)]
    np.testing.assert_array_equal(expected, operations.strided_slice(x, key), strict=True)


def test_a_step_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="zero"):
        operations.strided_slice(numbers(3), [[0, 3, 0]])


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_custom_gather_is_numpys_take(axis: int) -> None:
    """Indices below 0 count from the end."""
    x, indices = numbers(2, 3, 4), torch.tensor([[1, 0, -1], [-2, 1, 0]])
    expected = np.take(x.numpy(), indices.numpy(), axis=axis)
    np.testing.assert_array_equal(expected, operations.custom_gather(x, indices, axis), strict=True)


@pytest.mark.parametrize(
    ("batch_dim", "shape"),
    [(0, (5, 1)), (0, (2, 3, 2)), (0, (4, 3)), (1, (2, 5, 2)), (2, (2, 3, 1))],
)
def test_gather_nd(batch_dim: int, shape: tuple[int, ...]) -> None:
    x = numbers(2, 3, 4)
    indices = torch.randint(-2, 2, shape)
    result = operations.gather_nd(x, indices, batch_dim=batch_dim)
    assert result.shape == (*shape[:-1], *x.shape[batch_dim + shape[-1] :])
    for place in np.ndindex(*shape[:-1]):
        assert torch.equal(x[(*place[:batch_dim], *indices[place].tolist())], result[place])


REDUCTIONS: dict[str | None, Callable[[float, float], float]] = {
    None: lambda old, new: new,
    "none": lambda old, new: new,
    "add": lambda old, new: old + new,
    "mul": lambda old, new: old * new,
    "max": max,
    "min": min,
}
every_reduction = pytest.mark.parametrize("reduction", REDUCTIONS)


@every_reduction
def test_scatter_nd(reduction: str | None) -> None:
    """Slices are replaced, or joined with what is there; an index may come twice then."""
    x, indices = numbers(4, 3), torch.tensor([[-1], [1], [1 if reduction != "none" else 0]])
    indices = indices[:2] if reduction is None else indices
    updates = 20 * torch.rand(len(indices), 3)
    expected = x.clone()
    for k, (row,) in enumerate(indices.tolist()):
        for column in range(3):
            old, new = float(expected[row, column]), float(updates[k, column])
            expected[row, column] = REDUCTIONS[reduction](old, new)
    before = x.clone()
    torch.testing.assert_close(
        operations.scatter_nd(x, indices, updates, reduction=reduction), expected
    )
    assert torch.equal(before, x)


@every_reduction
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_scatter_elements(reduction: str | None, dim: int) -> None:
    x, index = numbers(3, 3), torch.tensor([[0, -1, 1], [2, 1, 0]])
    src = 10 * torch.rand(2, 3)
    expected = x.clone()
    for i, j in np.ndindex(2, 3):
        place = (int(index[i, j]), j) if dim == 0 else (i, int(index[i, j]))
        expected[place] = REDUCTIONS[reduction](float(expected[place]), float(src[i, j]))
    torch.testing.assert_close(
        operations.scatter_elements(x, index, src, dim=dim, reduce=reduction), expected
    )


def test_an_unknown_reduction_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no reduction mean"):
        operations.scatter_nd(numbers(2), torch.tensor([[0]]), numbers(1), reduction="mean")


def test_depth_to_space_is_the_examples_of_onnx() -> None:
    """The example of the operator's documentation, mode DCR: (1, 8, 2, 3), block size 2."""
    x = (9.0 * torch.arange(8).view(1, 8, 1, 1)) + torch.arange(6.0).view(1, 1, 2, 3)
    rows = [
        [[0, 18, 1, 19, 2, 20], [36, 54, 37, 55, 38, 56], [3, 21, 4, 22, 5, 23]],
        [[9, 27, 10, 28, 11, 29], [45, 63, 46, 64, 47, 65], [12, 30, 13, 31, 14, 32]],
    ]
    result = operations.depth_to_space(x, block_size=2)
    assert result.shape == (1, 2, 4, 6)
    assert result[0, :, :3].tolist() == rows


def test_one_hot() -> None:
    """An index below 0 counts from the end, one out of range is nowhere."""
    result = operations.one_hot(torch.tensor([0, -1, 3, -4]), num_classes=3, off_value=2.0)
    assert result.tolist() == [[1, 2, 2], [2, 2, 1], [2, 2, 2], [2, 2, 2]]
    assert operations.one_hot(torch.tensor([1]), num_classes=2).dtype == torch.int64


def suppressed(boxes: Tensor = BOXES, scores: Tensor = SCORES, **options: Any) -> list[int]:
    found = operations.non_max_suppression(boxes[None], scores[None, None], **options)
    assert found.dtype == torch.int64
    assert found[:, :2].eq(0).all()
    return found[:, 2].tolist()


def test_non_max_suppression_keeps_the_best_of_each_cluster() -> None:
    assert suppressed(iou_threshold=0.5, score_threshold=0.0) == [3, 0, 5]
    assert suppressed(iou_threshold=0.5, score_threshold=0.4) == [3, 0]
    assert suppressed(iou_threshold=0.5, max_output_boxes_per_class=2) == [3, 0]
    assert suppressed(iou_threshold=0.5, max_output_boxes_per_class=0) == []
    assert suppressed(iou_threshold=1.0) == [3, 0, 1, 2, 4, 5]


def test_corners_come_in_any_order() -> None:
    flipped = BOXES.clone()
    flipped[::2] = BOXES[::2][:, [2, 3, 0, 1]]
    flipped[1] = BOXES[1][[2, 1, 0, 3]]
    assert suppressed(flipped, iou_threshold=0.5) == [3, 0, 5]


def test_equal_boxes_and_scores() -> None:
    """At a tie the earlier box is kept; boxes without an area cover nothing."""
    assert suppressed(BOXES[:1].repeat(10, 1), torch.full((10,), 0.9), iou_threshold=0.5) == [0]
    assert suppressed(torch.zeros(3, 4), torch.full((3,), 0.9), iou_threshold=0.0) == [0, 1, 2]


def test_the_thresholds_themselves() -> None:
    """A score has to be above its threshold; an overlap at its own is no overlap."""
    halves = torch.tensor([[0.0, 0, 1, 2], [0.0, 0, 1, 1]])  # one half of the other
    assert suppressed(halves, torch.tensor([0.9, 0.8]), iou_threshold=0.5) == [0, 1]
    assert suppressed(halves, torch.tensor([0.9, 0.8]), iou_threshold=0.49) == [0]
    half = torch.tensor([0.5, 0.75])
    assert suppressed(halves, half, iou_threshold=1.0, score_threshold=0.5) == [1]


def test_batches_and_classes_are_apart() -> None:
    boxes, scores = torch.stack([BOXES, BOXES]), SCORES.expand(2, 2, 6).clone()
    scores[1, 1] = 0
    found = operations.non_max_suppression(
        boxes, scores, iou_threshold=0.5, score_threshold=0.1, max_output_boxes_per_class=1
    )
    assert found.tolist() == [[0, 0, 3], [0, 1, 3], [1, 0, 3]]
    nothing = operations.non_max_suppression(boxes, scores, score_threshold=1.0)
    assert nothing.shape == (0, 3)


def bilinear(plane: np.ndarray, y: float, x: float) -> float:
    """One sample, as torchvision's kernel takes it."""
    height, width = plane.shape
    if not (-1 <= y <= height and -1 <= x <= width):
        return 0.0
    y, x = max(y, 0.0), max(x, 0.0)
    top, left = min(int(y), height - 1), min(int(x), width - 1)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    down = y - top if top < height - 1 else 0.0
    across = x - left if left < width - 1 else 0.0
    upper = plane[top, left] * (1 - across) + plane[top, right] * across
    lower = plane[bottom, left] * (1 - across) + plane[bottom, right] * across
    return float(upper * (1 - down) + lower * down)


def aligned(
    plane: np.ndarray, box: list[float], size: tuple[int, int], scale: float, ratio: int
) -> list[list[float]]:
    """The bins of one region in one plane, sample by sample."""
    x1, y1, x2, y2 = (scale * corner for corner in box)
    height, width = max(y2 - y1, 1.0) / size[0], max(x2 - x1, 1.0) / size[1]
    down = ratio if ratio > 0 else math.ceil(height)
    across = ratio if ratio > 0 else math.ceil(width)
    return [
        [
            float(
                np.mean(
                    [
                        bilinear(
                            plane,
                            y1 + (i + (k + 0.5) / down) * height,
                            x1 + (j + (m + 0.5) / across) * width,
                        )
                        for k, m in itertools.product(range(down), range(across))
                    ]
                )
            )
            for j in range(size[1])
        ]
        for i in range(size[0])
    ]


@pytest.mark.parametrize("ratio", [-1, 0, 1, 2, 3])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_roi_align_is_an_average_of_samples(ratio: int, scale: float) -> None:
    """Regions inside, partly and wholly outside, thinner than a pixel, upside down."""
    x = torch.randn(2, 3, 5, 7, dtype=torch.float64)
    boxes = [
        [0.0, 0.0, 7.0, 5.0],
        [1.3, 0.7, 5.9, 3.2],
        [-4.0, -3.0, 3.0, 2.0],
        [4.0, 3.0, 20.0, 13.0],
        [50.0, 50.0, 60.0, 60.0],
        [2.2, 2.2, 2.3, 2.3],
        [5.0, 4.0, 1.0, 2.0],
    ]
    images = [0, 1, 0, 1, 0, 1, 0]
    roi = torch.tensor(boxes, dtype=torch.float64)
    module = functional.RoiAlign((2, 3), scale, ratio)
    expected = [
        [aligned(plane, box, (2, 3), scale, ratio) for plane in x[image].numpy()]
        for box, image in zip(boxes, images, strict=True)
    ]
    torch.testing.assert_close(
        module(x, roi, torch.tensor(images)), torch.tensor(expected, dtype=torch.float64)
    )


def test_roi_align_without_regions() -> None:
    result = operations.roi_align(
        torch.ones(1, 2, 4, 4), torch.zeros(0, 4), torch.zeros(0, dtype=torch.long), output_size=2
    )
    assert result.shape == (0, 2, 2, 2)


def test_roi_align_has_the_gradient_of_its_weights() -> None:
    x = torch.randn(1, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    roi = torch.tensor([[0.3, 0.4, 3.1, 2.9]], dtype=torch.float64, requires_grad=True)
    module = functional.RoiAlign(2)
    image = torch.tensor([0])
    assert torch.autograd.gradcheck(lambda value: module(value, roi.detach(), image), x)
    module(x, roi, image).sum().backward()
    assert roi.grad is None
