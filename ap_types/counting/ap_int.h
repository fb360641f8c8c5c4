// See ap_fixed.h beside this: whichever is included first reads both.
#ifndef HARNESS_COUNTING
#include "ap_fixed.h"
#else
#include_next "ap_int.h"
#endif
