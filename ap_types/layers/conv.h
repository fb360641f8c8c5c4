// hls4ml's convolutions, channels last.  Parameters: weights, biases.
#ifndef HARNESS_LAYERS_CONV_H
#define HARNESS_LAYERS_CONV_H

#include "../nnet_utils/nnet_conv1d.h"
#include "../nnet_utils/nnet_conv2d.h"
#include "dense.h"
#include "windows.h"

namespace harness {
namespace layers {

// What convolutions of one and of two dimensions are configured with; `Reuse` is 0 for the latency
// strategy.
template <class Weight, class Bias, class Accum, unsigned Reuse, unsigned Partitions,
          unsigned Channels, unsigned Filters, class Rows, class Columns,
          template <class, class> class Product = nnet::product::mult>
struct conv_config {
  using weight_t = Weight;
  using bias_t = Bias;
  using accum_t = Accum;
  using rows = Rows;
  using columns = Columns;
  static const unsigned in_height = Rows::in;
  static const unsigned in_width = Columns::in;
  static const unsigned n_chan = Channels;
  static const unsigned filt_height = Rows::window;
  static const unsigned filt_width = Columns::window;
  static const unsigned kernel_size = filt_height * filt_width;
  static const unsigned n_filt = Filters;
  static const unsigned stride_height = Rows::stride;
  static const unsigned stride_width = Columns::stride;
  static const unsigned pad_top = Rows::before;
  static const unsigned pad_bottom = Rows::after;
  static const unsigned pad_left = Columns::before;
  static const unsigned pad_right = Columns::after;
  static const unsigned out_height = Rows::out;
  static const unsigned out_width = Columns::out;
  static const unsigned reuse_factor = Reuse ? Reuse : 1;
  static const unsigned strategy = Reuse ? nnet::resource : nnet::latency;
  static const unsigned n_partitions = Partitions;
  static const unsigned n_pixels = out_height * out_width / n_partitions;
  static const unsigned inputs = in_height * in_width * n_chan;
  static const unsigned outputs = out_height * out_width * n_filt;
  static const unsigned weights = kernel_size * n_chan * n_filt;
  // The product of one window, which is all there is of streams.
  using window_config =
      dense_config<Weight, Bias, Accum, kernel_size * n_chan, n_filt, reuse_factor, Product>;
  // What hls4ml computes as one product of a whole image, which is all that reads its n_in.
  static constexpr bool batched =
      std::is_same_v<Rows, no_axis> && !Reuse && kernel_size == 1 && n_partitions == 1;
  using mult_config =
      dense_config<Weight, Bias, Accum, kernel_size * n_chan*(batched ? in_width : 1), n_filt,
                   reuse_factor, Product>;

  template <class Data, class Config>
  using fill_buffer = fill_windows<Data, Config>;

  // hls4ml's choice; the kernels of two dimensions do not ask.
  template <class Data, class Result, class Config>
  using conv_kernel = std::conditional_t<
      Reuse != 0, nnet::Conv1DResource<Data, Result, Config>,
      std::conditional_t<batched, nnet::BatchedDenseForConv1D<Data, Result, Config>,
                         nnet::Conv1DLatency<Data, Result, Config>>>;
};

// Weights are (window, channels, filters); for the resource strategy (filters, window, channels).
template <class Data, class Weight, class Bias, class Accum, class Result, unsigned Reuse,
          unsigned Partitions, unsigned Channels, unsigned Filters, class Rows, class Columns,
          template <class, class> class Product>
void conv(const void* a, const void* b, void* out, std::size_t n) {
  using config = conv_config<Weight, Bias, Accum, Reuse, Partitions, Channels, Filters, Rows,
                             Columns, Product>;
  reader parameters(b);
  auto weights = parameters.next<Weight>(config::weights);
  auto biases = parameters.next<Bias>(Filters);
  auto kernel = [&](Data* data, Result* result) {
    constexpr bool single = config::kernel_size == 1;
    if constexpr (std::is_same_v<Rows, no_axis> && single)
      nnet::pointwise_conv_1d_cl<Data, Result, config>(data, result, weights.data(), biases.data());
    else if constexpr (std::is_same_v<Rows, no_axis>)
      nnet::conv_1d_cl<Data, Result, config>(data, result, weights.data(), biases.data());
    else if constexpr (single)
      nnet::pointwise_conv_2d_cl<Data, Result, config>(data, result, weights.data(), biases.data());
    else
      nnet::conv_2d_cl<Data, Result, config>(data, result, weights.data(), biases.data());
  };
  each_row<Data, Result>(a, out, n, config::inputs, config::outputs, kernel);
}

}  // namespace layers
}  // namespace harness

#endif  // HARNESS_LAYERS_CONV_H
