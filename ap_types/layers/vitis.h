// The adapters over the kernels that hls4ml's Vitis backend has in the place of Vivado's: those are
// read first, and their include guards keep Vivado's out.
#ifndef HARNESS_LAYERS_VITIS_H
#define HARNESS_LAYERS_VITIS_H

// The order is the point.
// clang-format off
#include "common.h"
// Vitis' kernels rely on these.
#include "../nnet_utils/nnet_mult.h"
#include "../nnet_utils/nnet_types.h"

#include "../../vitis/nnet_utils/nnet_conv1d.h"
#include "../../vitis/nnet_utils/nnet_conv1d_stream.h"
#include "../../vitis/nnet_utils/nnet_conv2d.h"
#include "../../vitis/nnet_utils/nnet_conv2d_stream.h"
#include "../../vitis/nnet_utils/nnet_dense_stream.h"
#include "../../vitis/nnet_utils/nnet_pooling.h"
#include "../../vitis/nnet_utils/nnet_pooling_stream.h"
#include "../../vitis/nnet_utils/nnet_sepconv1d_stream.h"
#include "../../vitis/nnet_utils/nnet_sepconv2d_stream.h"

#include "pooling.h"
#include "streamed_conv.h"
// clang-format on

#endif  // HARNESS_LAYERS_VITIS_H
