// hls4ml's matrix products and convolutions of streams, by line buffers: the twins of layers that
// compute the same with arrays.  Parameters: weights, biases.
#ifndef HARNESS_LAYERS_STREAMED_CONV_H
#define HARNESS_LAYERS_STREAMED_CONV_H

#include "../nnet_utils/nnet_conv1d_stream.h"
#include "../nnet_utils/nnet_conv2d_stream.h"
#include "../nnet_utils/nnet_dense_stream.h"
#include "../nnet_utils/nnet_sepconv1d_stream.h"
#include "../nnet_utils/nnet_sepconv2d_stream.h"
#include "conv.h"
#include "streamed.h"

namespace harness {
namespace layers {

// A matrix product with the class that computes it; `Reuse` is 0 for the latency strategy.
template <class Config, unsigned Reuse>
struct streamed_product : Config {
  static const unsigned strategy = Reuse ? nnet::resource : nnet::latency;
  template <class Data, class Result, class Inner>
  using kernel = std::conditional_t<
      Reuse == 0, nnet::DenseLatency<Data, Result, Inner>,
      std::conditional_t<(Reuse <= Config::n_in),
                         nnet::DenseResource_rf_leq_nin<Data, Result, Inner>,
                         nnet::DenseResource_rf_gt_nin_rem0<Data, Result, Inner>>>;
};

// Weights are (In, Out).
template <class Data, class Weight, class Bias, class Accum, class Result, unsigned In,
          unsigned Out, template <class, class> class Product>
void streamed_dense_latency(const void* a, const void* b, void* out, std::size_t n) {
  using config = streamed_product<dense_config<Weight, Bias, Accum, In, Out, 1, Product>, 0>;
  using in = nnet::array<Data, In>;
  using result = nnet::array<Result, Out>;
  reader parameters(b);
  auto weights = parameters.next<Weight>(In * Out);
  auto biases = parameters.next<Bias>(Out);
  each_streamed_row<in, result>(
      a, out, n, In, Out, [&](hls::stream<in>& from, hls::stream<result>& to) {
        nnet::dense<in, result, config>(from, to, weights.data(), biases.data());
      });
}

// What line buffers ask for, and what the encoded variant does, which is not run.
template <class Config>
struct streamed_windows : Config {
  static const nnet::conv_implementation implementation = nnet::conv_implementation::linebuffer;
  static const unsigned min_width = 1;
  static inline const ap_uint<Config::kernel_size> pixels[1] = {0};
  template <unsigned K, unsigned S, unsigned W>
  using scale_index = nnet::scale_index_regular<K, S, W>;
  template <unsigned K, unsigned S, unsigned W>
  using scale_index_height = nnet::scale_index_regular<K, S, W>;
  template <unsigned K, unsigned S, unsigned W>
  using scale_index_width = nnet::scale_index_regular<K, S, W>;
};

// Weights as for `conv`.
template <class Data, class Weight, class Bias, class Accum, class Result, unsigned Reuse,
          unsigned Partitions, unsigned Channels, unsigned Filters, class Rows, class Columns,
          template <class, class> class Product>
void streamed_conv(const void* a, const void* b, void* out, std::size_t n) {
  using base = conv_config<Weight, Bias, Accum, Reuse, Partitions, Channels, Filters, Rows, Columns,
                           Product>;
  struct config : streamed_windows<base> {
    using mult_config = streamed_product<typename base::window_config, Reuse>;
  };
  using in = nnet::array<Data, Channels>;
  using result = nnet::array<Result, Filters>;
  reader parameters(b);
  auto weights = parameters.next<Weight>(base::weights);
  auto biases = parameters.next<Bias>(Filters);
  auto kernel = [&](hls::stream<in>& from, hls::stream<result>& to) {
    constexpr bool single = base::kernel_size == 1;
    if constexpr (std::is_same_v<Rows, no_axis> && single)
      nnet::pointwise_conv_1d_cl<in, result, config>(from, to, weights.data(), biases.data());
    else if constexpr (std::is_same_v<Rows, no_axis>)
      nnet::conv_1d_cl<in, result, config>(from, to, weights.data(), biases.data());
    else if constexpr (single)
      nnet::pointwise_conv_2d_cl<in, result, config>(from, to, weights.data(), biases.data());
    else
      nnet::conv_2d_cl<in, result, config>(from, to, weights.data(), biases.data());
  };
  each_streamed_row<in, result>(a, out, n, base::inputs, base::outputs, kernel);
}

template <class Config>
struct streamed_depthwise_product : Config {
  template <class Data, class Result, class Inner>
  using kernel = nnet::DepthwiseDenseLatency<Data, Result, Inner>;
};

// Weights are (window, channels).
template <class Data, class Weight, class Bias, class Accum, class Result, unsigned Partitions,
          unsigned Channels, class Rows, class Columns, template <class, class> class Product>
void streamed_depthwise(const void* a, const void* b, void* out, std::size_t n) {
  using base =
      conv_config<Weight, Bias, Accum, 0, Partitions, Channels, Channels, Rows, Columns, Product>;
  struct config : streamed_windows<base> {
    using mult_config = streamed_depthwise_product<typename base::window_config>;
  };
  using in = nnet::array<Data, Channels>;
  using result = nnet::array<Result, Channels>;
  reader parameters(b);
  auto weights = parameters.next<Weight>(base::kernel_size * Channels);
  auto biases = parameters.next<Bias>(Channels);
  each_streamed_row<in, result>(
      a, out, n, base::inputs, base::outputs, [&](hls::stream<in>& from, hls::stream<result>& to) {
        if constexpr (std::is_same_v<Rows, no_axis>)
          nnet::depthwise_conv_1d_cl<in, result, config>(from, to, weights.data(), biases.data());
        else
          nnet::depthwise_conv_2d_cl<in, result, config>(from, to, weights.data(), biases.data());
      });
}

}  // namespace layers
}  // namespace harness

#endif  // HARNESS_LAYERS_STREAMED_CONV_H
