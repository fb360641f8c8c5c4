// hls4ml's layers of two inputs.  No parameters.
#ifndef HARNESS_LAYERS_MERGE_H
#define HARNESS_LAYERS_MERGE_H

#include "../nnet_utils/nnet_merge.h"
#include "common.h"

namespace harness {
namespace layers {

// The kernel's name is a template, which no template takes as an argument: one adapter each.
#define HARNESS_MERGE(name)                                                                  \
  template <class Data1, class Data2, class Result, unsigned Size1, unsigned Size2>          \
  void name(const void* a, const void*, void* out, std::size_t n) {                          \
    using config = merge_config<Size1, Size2>;                                               \
    each_row<Data1, Data2, Result>(a, out, n, Size1, Size2, config::n_elem,                  \
                                   [](Data1* x, Data2* y, Result* result) {                  \
                                     nnet::name<Data1, Data2, Result, config>(x, y, result); \
                                   });                                                       \
  }

template <unsigned Size1, unsigned Size2>
struct merge_config : nnet::merge_config {
  static const unsigned n_elem1 = Size1;
  static const unsigned n_elem2 = Size2;
  static const unsigned n_elem = Size1 > Size2 ? Size1 : Size2;
};

HARNESS_MERGE(add)
HARNESS_MERGE(subtract)
HARNESS_MERGE(multiply)
HARNESS_MERGE(average)
HARNESS_MERGE(maximum)
HARNESS_MERGE(minimum)

#undef HARNESS_MERGE

template <class Accum, unsigned Size, template <class, class> class Product>
struct dot_config : nnet::dot_config {
  using accum_t = Accum;
  static const unsigned n_in = Size;
  static const unsigned n_out = 1;
  static const unsigned multiplier_limit = Size;
  template <class X, class Y>
  using product = Product<X, Y>;
};

template <class Data1, class Data2, class Accum, class Result, unsigned Size,
          template <class, class> class Product>
void dot1d(const void* a, const void*, void* out, std::size_t n) {
  using config = dot_config<Accum, Size, Product>;
  each_row<Data1, Data2, Result>(a, out, n, Size, Size, 1, [](Data1* x, Data2* y, Result* result) {
    nnet::dot1d<Data1, Data2, Result, config>(x, y, result);
  });
}

// Sizes that a rank does not have are 1 here; its kernel does not read them.  The axis counts the
// batch, as in hls4ml.
template <int Axis, unsigned A0, unsigned A1, unsigned A2, unsigned B0, unsigned B1, unsigned B2>
struct concat_config : nnet::concat_config {
  static const unsigned n_elem1_0 = A0;
  static const unsigned n_elem1_1 = A1;
  static const unsigned n_elem1_2 = A2;
  static const unsigned n_elem2_0 = B0;
  static const unsigned n_elem2_1 = B1;
  static const unsigned n_elem2_2 = B2;
  static const int axis = Axis;
};

template <class Data1, class Data2, class Result, unsigned Rank, int Axis, unsigned A0, unsigned A1,
          unsigned A2, unsigned B0, unsigned B1, unsigned B2>
void concatenate(const void* a, const void*, void* out, std::size_t n) {
  using config = concat_config<Axis, A0, A1, A2, B0, B1, B2>;
  constexpr unsigned size1 = A0 * A1 * A2, size2 = B0 * B1 * B2;
  each_row<Data1, Data2, Result>(
      a, out, n, size1, size2, size1 + size2, [](Data1* x, Data2* y, Result* result) {
        if constexpr (Rank == 1)
          nnet::concatenate1d<Data1, Data2, Result, config>(x, y, result);
        else if constexpr (Rank == 2)
          nnet::concatenate2d<Data1, Data2, Result, config>(x, y, result);
        else
          nnet::concatenate3d<Data1, Data2, Result, config>(x, y, result);
      });
}

}  // namespace layers
}  // namespace harness

#endif  // HARNESS_LAYERS_MERGE_H
