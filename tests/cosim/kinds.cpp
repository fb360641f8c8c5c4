// One function for each kind of argument.
#include <cassert>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "ap_fixed.h"
#include "ap_int.h"
#include "hls_stream.h"
#include "sizes.h"

typedef ap_fixed<8, 4, AP_RND, AP_SAT> data_t;
enum mode_t_ { COPY = 0, NEGATE = 5 };
struct point {
  data_t x;
  ap_uint<3> tag[2];
};
struct path {
  point points[2];
  short length;
};

void scalars(bool b, char c, unsigned short s, long long l, float f, double d, mode_t_ m,
             long long *sum, double &product) {
  *sum = b + c + s + l + m;
  product = double(f) * d;
}
void wide(ap_fixed<100, 40> x, ap_uint<64> u, ap_int<130> &twice, ap_uint<64> &next) {
  twice = ap_int<130>(x.range(99, 0));
  next = u + 1;
}
void nested(const path p[SIZE], path &out) {
  for (int k = 0; k < 2; ++k) {
    out.points[k].x = p[k].points[0].x + p[k].points[1].x;
    for (int i = 0; i < 2; ++i) out.points[k].tag[i] = p[k].points[k].tag[i];
  }
  out.length = p[0].length + p[1].length;
}
void matrix(const data_t x[2][3], data_t y[3][2]) {
  for (int r = 0; r < 2; ++r)
    for (int c = 0; c < 3; ++c) y[c][r] = x[r][c];
}
void shift(data_t line[3], data_t x) {
  for (int k = 2; k > 0; --k) line[k] = line[k - 1];
  line[0] = x;
}
void helper(data_t *to, const data_t &from) { *to = from; }
void through(data_t x, data_t *y) { helper(y, x); }
void maybe(bool write, data_t &y) {
  if (write) y = 1;
}
void several(const data_t *x, data_t *y) {
  for (int k = 0; k < 4; ++k) y[k] = -x[k];
}
void evens(hls::stream<data_t> &in, hls::stream<data_t> &out) {
  while (!in.empty()) {
    data_t x = in.read();
    if (x > 0) out << x;
  }
}
void greedy(hls::stream<data_t> &in, data_t &y) { y = in.read() + in.read(); }
void shy(hls::stream<data_t> &in, data_t &y) { y = in.read(); }
int twice(int x) { return 2 * x; }
data_t twice(data_t x) { return x + x; }
namespace dsp {
template <int N>
ap_int<16> power(ap_int<8> x) {
  ap_int<16> y = 1;
  for (int k = 0; k < N; ++k) y *= x;
  return y;
}
}  // namespace dsp
int counter(bool up) {
  static int count = 0;
  count += up ? 1 : -1;
  return count;
}
int first_only(int x) { return x; }
int dies(int how, int x) {
  static int table[4] = {1, 2, 3, 4};
  volatile int zero = 0;
  if (how == 1) assert(x == 0);
  if (how == 2) exit(3);
  if (how == 3) return x / zero;
  if (how == 4)
    for (;;) zero = 0;
  if (how == 5) return table[x + 4];
  if (how == 6) throw std::runtime_error("not here");
  if (how == 7) abort();
  if (how == 8) return *(volatile int *)8;
  return x;
}
void nothing(int x) { (void)x; }
void carries(std::string s, int &y) { y = s.size(); }
ap_fixed<8, 4> square(ap_fixed<8, 4> x) { return x * x; }
int main() { return 1; }
