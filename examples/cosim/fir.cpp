// An 8-tap FIR filter over a window of samples: products are exact, the sum is rounded once.
#include "ap_fixed.h"

typedef ap_fixed<12, 2> sample_t;
typedef ap_fixed<10, 1> tap_t;
typedef ap_fixed<14, 4, AP_RND_CONV, AP_SAT> result_t;

static const tap_t taps[8] = {-0.0625, 0.0, 0.28125, 0.5, 0.28125, 0.0, -0.0625, 0.001953125};

result_t fir(const sample_t window[8]) {
#pragma HLS PIPELINE II = 1
  ap_fixed<26, 7> sum = 0;
  for (int k = 0; k < 8; ++k) sum += taps[k] * window[k];
  return sum;
}
