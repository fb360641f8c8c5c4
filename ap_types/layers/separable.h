// hls4ml's depthwise and separable convolutions, channels last.  Parameters: weights, biases; of
// the separable ones the weights of both stages, then the biases of both.
#ifndef HARNESS_LAYERS_SEPARABLE_H
#define HARNESS_LAYERS_SEPARABLE_H

#include "../nnet_utils/nnet_sepconv1d.h"
// The latency kernels of one and of two dimensions are guarded by the same name.
#undef NNET_SEPARABLE_CONV2D_LATENCY_H_
#include "../nnet_utils/nnet_sepconv2d.h"
#include "conv.h"

namespace harness {
namespace layers {

// Weights are (window, channels).
template <class Data, class Weight, class Bias, class Accum, class Result, unsigned Partitions,
          unsigned Channels, class Rows, class Columns, template <class, class> class Product>
void depthwise(const void* a, const void* b, void* out, std::size_t n) {
  using config =
      conv_config<Weight, Bias, Accum, 0, Partitions, Channels, Channels, Rows, Columns, Product>;
  reader parameters(b);
  auto weights = parameters.next<Weight>(config::kernel_size * Channels);
  auto biases = parameters.next<Bias>(Channels);
  each_row<Data, Result>(a, out, n, config::inputs, config::outputs,
                         [&](Data* data, Result* result) {
                           if constexpr (std::is_same_v<Rows, no_axis>)
                             nnet::depthwise_conv_1d_cl<Data, Result, config>(
                                 data, result, weights.data(), biases.data());
                           else
                             nnet::depthwise_conv_2d_cl<Data, Result, config>(
                                 data, result, weights.data(), biases.data());
                         });
}

template <class Depthwise, class Pointwise>
struct separable_config {
  using depthwise_config = Depthwise;
  using pointwise_config = Pointwise;
};

// Weights are (window, channels) and (channels, filters); `Middle` is the result of the first
// stage.
template <class Data, class Weight1, class Bias1, class Accum1, class Middle, class Weight2,
          class Bias2, class Accum2, class Result, unsigned Partitions, unsigned Channels,
          unsigned Filters, class Rows, class Columns>
void separable(const void* a, const void* b, void* out, std::size_t n) {
  using first =
      conv_config<Weight1, Bias1, Accum1, 0, Partitions, Channels, Channels, Rows, Columns>;
  using second = conv_config<Weight2, Bias2, Accum2, 0, Partitions, Channels, Filters,
                             axis<Rows::out, 1, 1, 0, 0, 1, Rows::out>,
                             axis<Columns::out, 1, 1, 0, 0, 1, Columns::out>>;
  using config = separable_config<first, second>;
  reader parameters(b);
  auto weights1 = parameters.next<Weight1>(first::kernel_size * Channels);
  auto weights2 = parameters.next<Weight2>(second::weights);
  auto biases1 = parameters.next<Bias1>(Channels);
  auto biases2 = parameters.next<Bias2>(Filters);
  each_row<Data, Result>(
      a, out, n, first::inputs, second::outputs, [&](Data* data, Result* result) {
        if constexpr (std::is_same_v<Rows, no_axis>)
          nnet::separable_conv_1d_cl<Data, Middle, Result, config>(
              data, result, weights1.data(), weights2.data(), biases1.data(), biases2.data());
        else
          nnet::separable_conv_2d_cl<Data, Middle, Result, config>(
              data, result, weights1.data(), weights2.data(), biases1.data(), biases2.data());
      });
}

}  // namespace layers
}  // namespace harness

#endif  // HARNESS_LAYERS_SEPARABLE_H
