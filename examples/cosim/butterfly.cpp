// A radix-2 butterfly of an FFT between streams: pairs in, sums and differences out.
#include "ap_fixed.h"
#include "hls_stream.h"

typedef ap_fixed<12, 3, AP_RND, AP_SAT> part_t;
struct complex_t {
  part_t re, im;
};

void butterfly(hls::stream<complex_t>& in, hls::stream<complex_t>& out, const complex_t twiddle) {
  for (int k = 0; k < 4; ++k) {
#pragma HLS PIPELINE
    const complex_t a = in.read(), b = in.read();
    complex_t t, sum, difference;
    t.re = b.re * twiddle.re - b.im * twiddle.im;
    t.im = b.re * twiddle.im + b.im * twiddle.re;
    sum.re = a.re + t.re;
    sum.im = a.im + t.im;
    difference.re = a.re - t.re;
    difference.im = a.im - t.im;
    out.write(sum);
    out.write(difference);
  }
}
