// hls4ml's padding, cropping and resizing of images.  No parameters.
#ifndef HARNESS_LAYERS_SPATIAL_H
#define HARNESS_LAYERS_SPATIAL_H

#include "../nnet_utils/nnet_cropping.h"
#include "../nnet_utils/nnet_image.h"
#include "../nnet_utils/nnet_padding.h"
#include "common.h"

namespace harness {
namespace layers {

// An image of `Height` rows becomes one of `NewHeight`; `Top`, `Bottom`, `Left` and `Right` are
// what is added, or cut off.
template <unsigned Channels, unsigned Height, unsigned Width, unsigned Top, unsigned Bottom,
          unsigned Left, unsigned Right, unsigned NewHeight, unsigned NewWidth>
struct spatial_config {
  static const unsigned n_chan = Channels;
  static const unsigned in_height = Height;
  static const unsigned in_width = Width;
  static const unsigned out_height = NewHeight;
  static const unsigned out_width = NewWidth;
  static const unsigned pad_top = Top;
  static const unsigned pad_bottom = Bottom;
  static const unsigned pad_left = Left;
  static const unsigned pad_right = Right;
  static const unsigned crop_top = Top;
  static const unsigned crop_bottom = Bottom;
  static const unsigned crop_left = Left;
  static const unsigned crop_right = Right;
  static const unsigned height = Height;
  static const unsigned width = Width;
  static const unsigned new_height = NewHeight;
  static const unsigned new_width = NewWidth;
  static const unsigned inputs = Channels * Height * Width;
  static const unsigned outputs = Channels * NewHeight * NewWidth;
};

template <class Data, class Result, class Config>
void zeropad1d_cl(const void* a, const void*, void* out, std::size_t n) {
  each_row<Data, Result>(a, out, n, Config::inputs, Config::outputs,
                         nnet::zeropad1d_cl<Data, Result, Config>);
}

template <class Data, class Result, class Config>
void zeropad1d_cf(const void* a, const void*, void* out, std::size_t n) {
  each_row<Data, Result>(a, out, n, Config::inputs, Config::outputs,
                         nnet::zeropad1d_cf<Data, Result, Config>);
}

template <class Data, class Result, class Config>
void zeropad2d_cl(const void* a, const void*, void* out, std::size_t n) {
  each_row<Data, Result>(a, out, n, Config::inputs, Config::outputs,
                         nnet::zeropad2d_cl<Data, Result, Config>);
}

template <class Data, class Result, class Config>
void zeropad2d_cf(const void* a, const void*, void* out, std::size_t n) {
  each_row<Data, Result>(a, out, n, Config::inputs, Config::outputs,
                         nnet::zeropad2d_cf<Data, Result, Config>);
}

template <class Data, class Result, class Config>
void cropping1d_cl(const void* a, const void*, void* out, std::size_t n) {
  each_row<Data, Result>(a, out, n, Config::inputs, Config::outputs,
                         nnet::cropping1d_cl<Data, Result, Config>);
}

template <class Data, class Result, class Config>
void cropping2d_cl(const void* a, const void*, void* out, std::size_t n) {
  each_row<Data, Result>(a, out, n, Config::inputs, Config::outputs,
                         nnet::cropping2d_cl<Data, Result, Config>);
}

template <class Data, class Result, class Config>
void cropping2d_cf(const void* a, const void*, void* out, std::size_t n) {
  each_row<Data, Result>(a, out, n, Config::inputs, Config::outputs,
                         nnet::cropping2d_cf<Data, Result, Config>);
}

template <class Data, class Config>
void resize_nearest(const void* a, const void*, void* out, std::size_t n) {
  each_row<Data, Data>(a, out, n, Config::inputs, Config::outputs,
                       nnet::resize_nearest<Data, Config>);
}

}  // namespace layers
}  // namespace harness

#endif  // HARNESS_LAYERS_SPATIAL_H
