// What the C++ compiler's own floating-point types make of doubles.
//
// Built into one shared object, without the vendor's headers; every function reads doubles and
// writes IEEE words, sign- and zero-extended to 64 bits.
#ifndef HARNESS_NATIVE_KERNELS_H
#define HARNESS_NATIVE_KERNELS_H

#include <cfenv>
#include <cstddef>
#include <cstdint>
#include <cstring>

#define HARNESS_EXPORT extern "C" __attribute__((visibility("default")))

// Volatile, so that no conversion moves across a change of the rounding mode.
HARNESS_EXPORT void to_float(int mode, const double* x, std::int64_t* out, std::size_t n) {
  const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
  const int before = std::fegetround();
  std::fesetround(modes[mode]);
  for (std::size_t k = 0; k < n; ++k) {
    volatile double source = x[k];
    volatile float result = static_cast<float>(source);
    const float plain = result;
    std::uint32_t word;
    std::memcpy(&word, &plain, sizeof word);
    out[k] = word;
  }
  std::fesetround(before);
}

#ifdef HARNESS_FLOAT16
HARNESS_EXPORT void to_float16(const double* x, std::int64_t* out, std::size_t n) {
  for (std::size_t k = 0; k < n; ++k) {
    const _Float16 result = static_cast<_Float16>(x[k]);
    std::uint16_t word;
    std::memcpy(&word, &result, sizeof word);
    out[k] = word;
  }
}
#endif

#endif  // HARNESS_NATIVE_KERNELS_H
