// Windows that slide over one or two axes of an image, and the buffers that hold what they see.
#ifndef HARNESS_LAYERS_WINDOWS_H
#define HARNESS_LAYERS_WINDOWS_H

#include "common.h"

namespace harness {
namespace layers {

// `Before` and `After` elements of padding stand around `In` elements; `Out` windows fit.
template <unsigned In, unsigned Window, unsigned Stride, unsigned Before, unsigned After,
          unsigned Dilation, unsigned Out>
struct axis {
  static const unsigned in = In;
  static const unsigned window = Window;
  static const unsigned stride = Stride;
  static const unsigned before = Before;
  static const unsigned after = After;
  static const unsigned dilation = Dilation;
  static const unsigned out = Out;

  // The element that place `k` of window `i` sees; outside of 0 .. in - 1 it is padding.
  static int place(unsigned i, unsigned k) {
    return static_cast<int>(i * Stride + k * Dilation) - static_cast<int>(Before);
  }
};

// The rows of what has one axis alone.
struct no_axis : axis<1, 1, 1, 0, 0, 1, 1> {};

// What hls4ml generates for every convolution: the windows of one partition of the output's
// pixels, row by row, channels innermost, zeros where there is padding.
template <class Data, class Config>
struct fill_windows {
  using rows = typename Config::rows;
  using columns = typename Config::columns;

  template <std::size_t Size>
  static void fill_buffer(Data* data, Data (*buffer)[Size], const unsigned partition) {
    for (unsigned pixel = 0; pixel < Config::n_pixels; ++pixel) {
      const unsigned place = partition * Config::n_pixels + pixel;
      Data* to = buffer[pixel];
      for (unsigned i = 0; i < rows::window; ++i)
        for (unsigned j = 0; j < columns::window; ++j) {
          const int row = rows::place(place / columns::out, i);
          const int column = columns::place(place % columns::out, j);
          const bool inside = row >= 0 && row < static_cast<int>(rows::in) && column >= 0 &&
                              column < static_cast<int>(columns::in);
          const Data* from = data + (row * static_cast<int>(columns::in) + column) *
                                        static_cast<int>(Config::n_chan);
          for (unsigned k = 0; k < Config::n_chan; ++k) {
            if (inside)
              *to++ = from[k];
            else
              *to++ = 0;
          }
        }
    }
  }
};

}  // namespace layers
}  // namespace harness

#endif  // HARNESS_LAYERS_WINDOWS_H
