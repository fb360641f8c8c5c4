// CORDIC in rotation mode: cosine and sine of an angle in (-pi/2, pi/2), by shifts and additions.
#include "ap_fixed.h"

typedef ap_fixed<16, 2> angle_t;
typedef ap_fixed<18, 2> value_t;

static const angle_t arctangents[12] = {0.78539816, 0.46364761, 0.24497866, 0.12435499,
                                        0.06241881, 0.03123983, 0.01562373, 0.00781234,
                                        0.00390623, 0.00195312, 0.00097656, 0.00048828};

void cordic(angle_t angle, value_t& cosine, value_t& sine) {
  value_t x = 0.60725293, y = 0;
  angle_t rest = angle;
  for (int k = 0; k < 12; ++k) {
    const value_t dx = y >> k, dy = x >> k;
    if (rest < 0) {
      x += dx;
      y -= dy;
      rest += arctangents[k];
    } else {
      x -= dx;
      y += dy;
      rest -= arctangents[k];
    }
  }
  cosine = x;
  sine = y;
}
