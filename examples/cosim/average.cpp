// A running average: the state is kept from call to call, with fewer bits than it would need.
#include "ap_fixed.h"

typedef ap_fixed<12, 4, AP_TRN, AP_SAT> data_t;

data_t average(data_t x) {
  static ap_fixed<16, 4, AP_RND> state = 0;
  state += (x - state) >> 3;
  return state;
}
