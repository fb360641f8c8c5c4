"""A C++ file that runs one row of a layer through hls4ml's kernel, to look at without Python."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.fixed import Fixed
from harness.hls.layers.layer import TypedLayer
from harness.hls.twin import words
from harness.oracle.headers import find_headers, kernel_directory
from harness.oracle.words import word_count

__all__ = ["reproducer"]

_OWN = re.compile(r'^#include "([^"]+)"\n', re.MULTILINE)


def reproducer(
    layer: TypedLayer, inputs: Sequence[Fixed], index: tuple[int, ...], got: Fixed, expected: Fixed
) -> str:
    """The text of the file: our adapter inlined, the vendor's headers included.

    It exits with 0 if the kernel gives ``expected``, with 1 if not.

    Args:
        layer: the layer.
        inputs: the row of each input.
        index: the output to look at.
        got: the typed layer's code.
        expected: the code it is held against.
    """
    kernel = layer.kernel()
    if kernel is None:
        return f"// {layer.name} computes nothing: there is no kernel.\n"
    size = word_count(layer.result)
    place = size * int(np.ravel_multi_index(index, layer.output_shape))
    row = np.concatenate([x.words.ravel() for x in inputs])
    headers = find_headers().directory
    return f"""\
// {layer.name}: output {list(index)} of one row.
// The typed layer computes code {int(got.codes)}, its twin has code {int(expected.codes)}.{
        "" if size == 1 else f"{chr(10)}// A code is {size} words, the lowest first."
    }
//
//   g++ -std=c++17 -w -I {headers} reproduce.cpp -o reproduce && ./reproduce
#include <cstdio>
{_expanded(kernel_directory() / kernel.source, set())}
int main() {{
  const std::int64_t inputs[] = {{{_listed(row)}}};
  const std::int64_t parameters[] = {{{_listed(words(layer.constants()))}}};
  std::int64_t outputs[{layer.sizes[-1] * size}];
  {kernel.cpp.removeprefix("&")}(inputs, parameters, outputs, 1);
  const std::int64_t typed[] = {{{_listed(got.words.ravel())}}};
  const std::int64_t twin[] = {{{_listed(expected.words.ravel())}}};
  int wrong = 0;
  for (int k = 0; k < {size}; ++k) {{
    const long long found = outputs[{place} + k], here = typed[k], there = twin[k];
    std::printf("kernel %lld, typed layer %lld, twin %lld\\n", found, here, there);
    wrong |= found != there;
  }}
  return wrong;
}}
"""


def _expanded(path: Path, seen: set[Path]) -> str:
    """One of our headers, those of ours that it includes in their place."""
    seen.add(path)

    def inlined(match: re.Match[str]) -> str:
        inner = (path.parent / match[1]).resolve()
        if not inner.is_file():
            return match[0]  # the vendor's
        return "" if inner in seen else _expanded(inner, seen)

    return _OWN.sub(inlined, path.read_text(encoding="utf-8"))


def _listed(codes: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> str:
    return ", ".join(f"{int(c)}LL" for c in codes)
