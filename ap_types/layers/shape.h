// hls4ml's kernels that move values.  No parameters.
#ifndef HARNESS_LAYERS_SHAPE_H
#define HARNESS_LAYERS_SHAPE_H

#include "../nnet_utils/nnet_transpose.h"
#include "common.h"

namespace harness {
namespace layers {

// Numbers as a type; the zero at the end keeps an empty list an array.
template <unsigned... Values>
struct sizes {
  static constexpr unsigned count = sizeof...(Values);
  static constexpr unsigned values[count + 1] = {Values..., 0};
};

// What nnet::transpose() reads: the output's shape, and of each of its axes the input's stride.
template <unsigned Size, class Shape, class Strides>
struct permutation {
  static const unsigned dims = Shape::count;
  static const unsigned N = Size;
  static constexpr const unsigned* to_shape = Shape::values;
  static constexpr const unsigned* perm_strides = Strides::values;
};

template <class Data, class Result, class Permutation>
void transpose(const void* a, const void*, void* out, std::size_t n) {
  constexpr unsigned size = Permutation::N;
  each_row<Data, Result>(a, out, n, size, size, [](Data* data, Result* result) {
    nnet::transpose<Data, Result, Permutation>(data, result);
  });
}

}  // namespace layers
}  // namespace harness

#endif  // HARNESS_LAYERS_SHAPE_H
