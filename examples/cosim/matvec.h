// A matrix times a vector, in an accumulator that wraps.
#include "ap_int.h"

template <int ROWS, int COLUMNS>
void matvec(const ap_int<6> a[ROWS][COLUMNS], const ap_int<6> x[COLUMNS], ap_int<12> y[ROWS]) {
  for (int r = 0; r < ROWS; ++r) {
    ap_int<12> sum = 0;
    for (int c = 0; c < COLUMNS; ++c) sum += a[r][c] * x[c];
    y[r] = sum;
  }
}
