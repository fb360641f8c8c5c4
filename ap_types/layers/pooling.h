// hls4ml's poolings, channels last.  No parameters.
#ifndef HARNESS_LAYERS_POOLING_H
#define HARNESS_LAYERS_POOLING_H

// nnet_pooling.h relies on it.
#include <cassert>

#include "../nnet_utils/nnet_pooling.h"
#include "windows.h"

namespace harness {
namespace layers {

template <class Accum, nnet::Pool_Op Op, bool CountPad, unsigned Channels, class Rows,
          class Columns>
struct pooling_config {
  using accum_t = Accum;
  static const unsigned n_in = Columns::in;
  static const unsigned n_out = Columns::out;
  static const unsigned in_height = Rows::in;
  static const unsigned in_width = Columns::in;
  static const unsigned n_filt = Channels;
  static const unsigned pool_height = Rows::window;
  static const unsigned pool_width = Columns::window;
  static const unsigned stride_height = Rows::stride;
  static const unsigned stride_width = Columns::stride;
  static const unsigned pad_top = Rows::before;
  static const unsigned pad_bottom = Rows::after;
  static const unsigned pad_left = Columns::before;
  static const unsigned pad_right = Columns::after;
  static const unsigned out_height = Rows::out;
  static const unsigned out_width = Columns::out;
  static const bool count_pad = CountPad;
  static const nnet::Pool_Op pool_op = Op;
  static const unsigned reuse_factor = 1;
};

template <class Data, class Accum, class Result, nnet::Pool_Op Op, bool CountPad, unsigned Channels,
          class Rows, class Columns>
void pooling(const void* a, const void*, void* out, std::size_t n) {
  using config = pooling_config<Accum, Op, CountPad, Channels, Rows, Columns>;
  each_row<Data, Result>(a, out, n, Rows::in * Columns::in * Channels,
                         Rows::out * Columns::out * Channels, [](Data* data, Result* result) {
                           if constexpr (std::is_same_v<Rows, no_axis>)
                             nnet::pooling1d_cl<Data, Result, config>(data, result);
                           else
                             nnet::pooling2d_cl<Data, Result, config>(data, result);
                         });
}

template <class Data, class Accum, class Result, nnet::Pool_Op Op, unsigned Channels, class Rows,
          class Columns>
void global_pooling(const void* a, const void*, void* out, std::size_t n) {
  using config = pooling_config<Accum, Op, false, Channels, Rows, Columns>;
  each_row<Data, Result>(a, out, n, Rows::in * Columns::in * Channels, Channels,
                         [](Data* data, Result* result) {
                           if constexpr (std::is_same_v<Rows, no_axis>)
                             nnet::global_pooling1d_cl<Data, Result, config>(data, result);
                           else
                             nnet::global_pooling2d_cl<Data, Result, config>(data, result);
                         });
}

}  // namespace layers
}  // namespace harness

#endif  // HARNESS_LAYERS_POOLING_H
