// The vendor's headers for a model checker: any input, and what its code must be.
#pragma once
#include <algorithm>
#include <cmath>
#include <iostream>
#include <sstream>
#include <string>
#undef iszero
#undef isnormal
#include "ap_fixed.h"
#include "ap_int.h"

unsigned long long nondet_word();

template <class T>
T of_word(unsigned long long word) {
  T value;
  value.V = word;
  return value;
}

template <class T>
unsigned long long word_of(const T& value) {
  constexpr int spare = 64 - T::width;
  return static_cast<unsigned long long>(value.V) << spare >> spare;
}
