// hls4ml's kernels for streams that compute otherwise than those for arrays.  No parameters.
#ifndef HARNESS_LAYERS_STREAMED_H
#define HARNESS_LAYERS_STREAMED_H

#include <limits>

#include "../nnet_utils/nnet_activation_stream.h"
#include "../nnet_utils/nnet_pooling_stream.h"
#include "../nnet_utils/nnet_stream.h"
#include "../nnet_utils/nnet_types.h"
#include "activations.h"
#include "pooling.h"

namespace harness {
namespace layers {

// Call kernel(data, result) for every row, with streams of packs.  Where the kernel leaves
// something of its input, or writes another count of packs, every word of the row is the lowest
// there is.
template <class Data, class Result, class Kernel>
void each_streamed_row(const void* a, void* out, std::size_t n, std::size_t inputs,
                       std::size_t outputs, Kernel kernel) {
  auto from = static_cast<const std::int64_t*>(a);
  auto to = static_cast<std::int64_t*>(out);
  for (std::size_t k = 0; k < n; ++k) {
    hls::stream<Data> data("data");
    hls::stream<Result> result("result");
    for (std::size_t i = 0; i < inputs; i += Data::size) {
      Data pack;
      for (unsigned j = 0; j < Data::size; ++j, from += words<typename Data::value_type>)
        pack[j] = read<typename Data::value_type>(from);
      data.write(pack);
    }
    kernel(data, result);
    const bool fits = data.empty() && result.size() * Result::size == outputs;
    while (!data.empty()) data.read();
    for (std::size_t i = 0; i < outputs; i += Result::size) {
      const Result pack = result.empty() ? Result() : result.read();
      for (unsigned j = 0; j < Result::size; ++j, to += words<typename Result::value_type>) {
        write(pack[j], to);
        if (!fits) *to = std::numeric_limits<std::int64_t>::min();
      }
    }
    while (!result.empty()) result.read();
  }
}

template <class Data, class Result, unsigned Size>
void streamed_ternary_tanh(const void* a, const void*, void* out, std::size_t n) {
  using in = nnet::array<Data, Size>;
  using result = nnet::array<Result, Size>;
  each_streamed_row<in, result>(a, out, n, Size, Size,
                                [](hls::stream<in>& from, hls::stream<result>& to) {
                                  nnet::ternary_tanh<in, result, activation_config<Size>>(from, to);
                                });
}

template <class Data, class Table, class Result, unsigned Size, unsigned TableSize>
void streamed_selu(const void* a, const void*, void* out, std::size_t n) {
  using in = nnet::array<Data, Size>;
  using result = nnet::array<Result, Size>;
  using config = activation_config<Size, Table, TableSize>;
  each_streamed_row<in, result>(a, out, n, Size, Size,
                                [](hls::stream<in>& from, hls::stream<result>& to) {
                                  nnet::selu<in, result, config>(from, to);
                                });
}

template <unsigned Height, unsigned Width, unsigned Channels, unsigned OutHeight, unsigned OutWidth,
          unsigned OutChannels>
struct broadcast_config {
  static const unsigned in_height = Height;
  static const unsigned in_width = Width;
  static const unsigned in_chan = Channels;
  static const unsigned out_height = OutHeight;
  static const unsigned out_width = OutWidth;
  static const unsigned out_chan = OutChannels;
};

template <class Data, class Result, unsigned Height, unsigned Width, unsigned Channels,
          unsigned OutHeight, unsigned OutWidth, unsigned OutChannels>
void broadcast(const void* a, const void*, void* out, std::size_t n) {
  using config = broadcast_config<Height, Width, Channels, OutHeight, OutWidth, OutChannels>;
  using in = nnet::array<Data, Channels>;
  using result = nnet::array<Result, OutChannels>;
  each_streamed_row<in, result>(a, out, n, Height * Width * Channels,
                                OutHeight * OutWidth * OutChannels,
                                [](hls::stream<in>& from, hls::stream<result>& to) {
                                  nnet::broadcast_stream<in, result, config>(from, to);
                                });
}

// What line buffers call the window and the channels.
template <class Config>
struct streamed_pooling_config : Config {
  static const unsigned filt_height = Config::pool_height;
  static const unsigned filt_width = Config::pool_width;
  static const unsigned n_chan = Config::n_filt;
  static const nnet::conv_implementation implementation = nnet::conv_implementation::linebuffer;
};

template <class Data, class Accum, class Result, nnet::Pool_Op Op, bool CountPad, unsigned Channels,
          class Rows, class Columns>
void streamed_pooling(const void* a, const void*, void* out, std::size_t n) {
  using config =
      streamed_pooling_config<pooling_config<Accum, Op, CountPad, Channels, Rows, Columns>>;
  using in = nnet::array<Data, Channels>;
  using result = nnet::array<Result, Channels>;
  each_streamed_row<in, result>(a, out, n, Rows::in * Columns::in * Channels,
                                Rows::out * Columns::out * Channels,
                                [](hls::stream<in>& from, hls::stream<result>& to) {
                                  if constexpr (std::is_same_v<Rows, no_axis>)
                                    nnet::pooling1d_cl<in, result, config>(from, to);
                                  else
                                    nnet::pooling2d_cl<in, result, config>(from, to);
                                });
}

template <class Data, class Accum, class Result, nnet::Pool_Op Op, unsigned Channels, class Rows,
          class Columns>
void streamed_global_pooling(const void* a, const void*, void* out, std::size_t n) {
  using config = pooling_config<Accum, Op, false, Channels, Rows, Columns>;
  using in = nnet::array<Data, Channels>;
  using result = nnet::array<Result, Channels>;
  each_streamed_row<in, result>(a, out, n, Rows::in * Columns::in * Channels, Channels,
                                [](hls::stream<in>& from, hls::stream<result>& to) {
                                  if constexpr (std::is_same_v<Rows, no_axis>)
                                    nnet::global_pooling1d_cl<in, result, config>(from, to);
                                  else
                                    nnet::global_pooling2d_cl<in, result, config>(from, to);
                                });
}

}  // namespace layers
}  // namespace harness

#endif  // HARNESS_LAYERS_STREAMED_H
