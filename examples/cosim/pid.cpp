// A PID controller with an integral that saturates, for any gains.
#include "ap_fixed.h"

typedef ap_fixed<12, 4> err_t;
typedef ap_ufixed<8, 2> gain_t;
typedef ap_fixed<14, 6, AP_RND, AP_SAT> drive_t;

struct gains {
  gain_t p, i, d;
};

drive_t pid(err_t error, const gains& k) {
  static ap_fixed<14, 6, AP_TRN, AP_SAT> integral = 0;
  static err_t before = 0;
  integral += error;
  const ap_fixed<13, 5> slope = error - before;
  before = error;
  return k.p * error + k.i * integral + k.d * slope;
}
