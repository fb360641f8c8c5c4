// Stands before the vendor's header on the include path, and puts counting numbers behind its names
// when the vendor's headers, which include each other, are read to their end.
#ifndef HARNESS_COUNTING
#define HARNESS_COUNTING
#include_next "ap_fixed.h"
#include_next "ap_int.h"
#include "counted.h"
#else
#include_next "ap_fixed.h"
#endif
