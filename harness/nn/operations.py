"""The operations for which torch has no one-liner: gathers, scatters, slices, boxes.

What a call passes comes first; keyword-only parameters are what the modules of
``harness.nn.functional`` take when they are made.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

__all__ = [
    "cast",
    "channel_shuffle",
    "concat",
    "custom_gather",
    "depth_to_space",
    "dynamic_conv2d",
    "expand",
    "floor_divide",
    "gather_nd",
    "non_max_suppression",
    "one_hot",
    "roi_align",
    "scatter_elements",
    "scatter_nd",
    "shape",
    "strided_slice",
]

# ONNX's names, and torch's, for what torch.scatter_reduce does.
_REDUCTIONS = {
    "add": "sum",
    "sum": "sum",
    "mul": "prod",
    "multiply": "prod",
    "prod": "prod",
    "max": "amax",
    "amax": "amax",
    "min": "amin",
    "amin": "amin",
}


def cast(x: Tensor, *, dtype: torch.dtype) -> Tensor:
    """``x`` in another dtype."""
    return x.to(dtype)


def channel_shuffle(x: Tensor, *, groups: int) -> Tensor:
    """Channels (N, groups * c, ...) read group by group, written channel by channel."""
    return F.channel_shuffle(x, groups)


def concat(*tensors: Tensor, axis: int = 0) -> Tensor:
    """Any number of tensors, joined along an axis."""
    return torch.cat(tensors, dim=axis)


def depth_to_space(x: Tensor, *, block_size: int) -> Tensor:
    """(N, b * b * C, H, W) to (N, C, b * H, b * W); the block's place is the outer channel index.

    ONNX's ``DepthToSpace`` in mode DCR; ``PixelShuffle`` is the mode CRD.
    """
    n, channels, height, width = x.shape
    b = block_size
    blocks = x.reshape(n, b, b, channels // (b * b), height, width)
    return blocks.permute(0, 3, 4, 1, 5, 2).reshape(n, -1, b * height, b * width)


def dynamic_conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] | str = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
) -> Tensor:
    """A convolution whose weight (O, I / groups, kH, kW) and bias (O,) are inputs."""
    return F.conv2d(x, weight, bias, stride, padding, dilation, groups)


def expand(x: Tensor, *sizes: int | Sequence[int]) -> Tensor:
    """``x`` repeated to a shape; -1 leaves a size as it is."""
    return x.expand(*sizes)  # type: ignore[arg-type]


def floor_divide(x: Tensor, other: Tensor | float) -> Tensor:
    """The quotient rounded down; its gradient is 0, where ``torch.floor_divide`` has none."""
    return torch.div(x, other, rounding_mode="floor")


def shape(x: Tensor, dim: int | None = None) -> torch.Size | int:
    """The shape of ``x``, or one size of it."""
    return x.shape if dim is None else x.shape[dim]


def one_hot(x: Tensor, *, num_classes: int, off_value: float = 0, on_value: float = 1) -> Tensor:
    """A new last axis of ``num_classes``: ``on_value`` at the index, ``off_value`` elsewhere.

    As ONNX has it, an index below 0 counts from the end, and one out of range is nowhere.
    """
    index = torch.where(x < 0, x + num_classes, x).unsqueeze(-1)
    places = torch.arange(num_classes, device=x.device)
    return torch.where(index == places, on_value, off_value)


def strided_slice(x: Tensor, slice_ranges: Sequence[Sequence[int | None]]) -> Tensor:
    """``x[begin:end:step, ...]``, with a (begin, end, step) for each leading axis.

    Bounds are Python's, and so are steps below 0, which torch's own slices refuse.

    Raises:
        ValueError: for a step of 0.
    """
    for axis, bounds in enumerate(slice_ranges):
        places = range(x.shape[axis])[slice(*bounds)]
        if places.step > 0:
            x = x[(slice(None),) * axis + (slice(*bounds),)]
        else:
            x = x.index_select(axis, torch.tensor(list(places), dtype=torch.long, device=x.device))
    return x


def custom_gather(x: Tensor, indices: Tensor, axis: int = 0) -> Tensor:
    """ONNX's ``Gather``: slices of ``x`` along an axis, the shape of ``indices`` in its place.

    Raises:
        IndexError: for an index that is not in [-size, size).
    """
    return x[(slice(None),) * (axis % x.dim()) + (indices.long(),)]


def gather_nd(x: Tensor, indices: Tensor, *, batch_dim: int = 0) -> Tensor:
    """ONNX's ``GatherND``: ``indices`` (batch..., i..., k) name elements or slices of ``x``.

    The first ``batch_dim`` axes are common to both; the result is (batch..., i..., rest of x).

    Raises:
        IndexError: for an index out of range.
    """
    free = indices.dim() - 1
    batch = [
        torch.arange(x.shape[axis], device=x.device).view(-1, *[1] * (free - axis - 1))
        for axis in range(batch_dim)
    ]
    return x[(*batch, *indices.long().unbind(-1))]


def scatter_nd(
    x: Tensor, indices: Tensor, updates: Tensor, *, reduction: str | None = None
) -> Tensor:
    """ONNX's ``ScatterND``: a copy of ``x`` with ``updates`` where ``indices`` (i..., k) say.

    Args:
        x: the data.
        indices: each of the first k axes' index.
        updates: (i..., rest of x).
        reduction: ``None``, or how updates join what is there: add, mul, max, min.

    Raises:
        ValueError: for another reduction.
    """
    places = indices.long().unbind(-1)
    how = _reduction(reduction)
    if how is None or how == "sum":
        return x.index_put(places, updates, accumulate=how is not None)
    # The elements' own numbers, looked up like elements, are places in the flattened data.
    numbers = torch.arange(x.numel(), device=x.device).view(x.shape)[places]
    return x.flatten().scatter_reduce(0, numbers.flatten(), updates.flatten(), how).view(x.shape)


def scatter_elements(
    x: Tensor, index: Tensor, src: Tensor, *, dim: int = 0, reduce: str | None = None
) -> Tensor:
    """ONNX's ``ScatterElements``: a copy of ``x``, ``src`` at ``index`` along ``dim``.

    An index below 0 counts from the end; ``reduce`` is as for :func:`scatter_nd`.
    """
    index = torch.where(index < 0, index + x.shape[dim], index)
    how = _reduction(reduce)
    if how is None:
        return x.scatter(dim, index, src)
    return x.scatter_reduce(dim, index, src, how)


def _reduction(name: str | None) -> str | None:
    if name is None or name == "none":
        return None
    if name not in _REDUCTIONS:
        raise ValueError(f"there is no reduction {name}; there are: {', '.join(_REDUCTIONS)}")
    return _REDUCTIONS[name]


def non_max_suppression(
    boxes: Tensor,
    scores: Tensor,
    *,
    iou_threshold: float = 0.0,
    score_threshold: float | None = None,
    max_output_boxes_per_class: int | None = None,
) -> Tensor:
    """ONNX's ``NonMaxSuppression``: the boxes that no better box of their class covers.

    A box goes if its intersection over union with a kept one is above ``iou_threshold``.

    Args:
        boxes: (N, B, 4), two opposite corners y1, x1, y2, x2 in any order.
        scores: (N, C, B).
        iou_threshold: above it boxes are the same.
        score_threshold: only scores above it count; ``None`` lets all.
        max_output_boxes_per_class: ``None`` for no limit.

    Returns:
        int64 (M, 3): batch, class and box; the best first within each, at a tie the earlier box.
    """
    boxes, scores = boxes.detach(), scores.detach()
    selected = []
    for n, classes in enumerate(scores):
        for c, values in enumerate(classes):
            order = torch.argsort(values, descending=True, stable=True)
            if score_threshold is not None:
                order = order[values[order] > score_threshold]
            kept = _greedy(boxes[n, order], iou_threshold, max_output_boxes_per_class)
            selected += [(n, c, box) for box in order[kept].tolist()]
    return torch.tensor(selected, dtype=torch.long, device=boxes.device).reshape(-1, 3)


def _greedy(boxes: Tensor, iou_threshold: float, limit: int | None) -> list[int]:
    """The places of the boxes (B, 4), best first, that none before them suppresses."""
    covers = _iou(boxes) > iou_threshold
    gone = torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device)
    kept: list[int] = []
    for k in range(len(boxes)):
        if limit is not None and len(kept) >= limit:
            break
        if not gone[k]:
            kept.append(k)
            gone |= covers[k]
    return kept


def _iou(boxes: Tensor) -> Tensor:
    """Intersection over union, (B, B), of boxes (B, 4); 0 where nothing is shared."""
    low = torch.minimum(boxes[:, :2], boxes[:, 2:])
    high = torch.maximum(boxes[:, :2], boxes[:, 2:])
    area = (high - low).prod(-1)
    sides = torch.minimum(high[:, None], high) - torch.maximum(low[:, None], low)
    shared = sides.clamp(min=0).prod(-1)
    return torch.where(shared > 0, shared / (area[:, None] + area - shared), 0)


def roi_align(
    x: Tensor,
    roi: Tensor,
    batch_indices: Tensor,
    *,
    output_size: int | tuple[int, int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
) -> Tensor:
    """Averages of bilinear samples in the bins of each region, pixel centres at whole numbers.

    ``torchvision.ops.roi_align`` with ``aligned=False``, ONNX's mode ``output_half_pixel``: a
    region is at least 1 pixel wide and high, and a sample more than 1 pixel outside of ``x`` is 0.

    Args:
        x: (N, C, H, W).
        roi: (R, 4): x1, y1, x2, y2; no gradient goes there.
        batch_indices: (R,): which image.
        output_size: the bins, one number or (height, width).
        spatial_scale: pixels for a unit of ``roi``.
        sampling_ratio: samples along each side of a bin; none above 0: as many as pixels, rounded
            up.

    Returns:
        (R, C, height, width).
    """
    rows, columns = (output_size,) * 2 if isinstance(output_size, int) else output_size
    regions = []
    for corners, image in zip(roi.detach() * spatial_scale, batch_indices.long(), strict=True):
        x1, y1, x2, y2 = corners
        # Bilinear weights are products of a row's and a column's, and so are their averages.
        vertical = _bin_weights(y1, y2, rows, x.shape[-2], sampling_ratio)
        horizontal = _bin_weights(x1, x2, columns, x.shape[-1], sampling_ratio)
        regions.append(vertical.to(x.dtype) @ x[image] @ horizontal.to(x.dtype).T)
    return torch.stack(regions) if regions else x.new_zeros(0, x.shape[1], rows, columns)


def _bin_weights(start: Tensor, end: Tensor, bins: int, size: int, ratio: int) -> Tensor:
    """The weights (bins, size) with which pixels of one axis count in the bins of a region."""
    extent = (end - start).clamp(min=1)
    samples = ratio if ratio > 0 else math.ceil(float(extent) / bins)
    steps = torch.arange(bins * samples, device=start.device, dtype=start.dtype)
    at = start + (steps + 0.5) * (extent / (bins * samples))
    inside = (at >= -1) & (at <= size)
    at = at.clamp(0, size - 1)
    low = at.floor()
    pixels = torch.arange(size, device=start.device, dtype=start.dtype)
    share = (at - low)[:, None]
    weights = (pixels == low[:, None]) * (1 - share) + (pixels == low[:, None] + 1) * share
    return (weights * inside[:, None]).view(bins, samples, size).mean(1)
