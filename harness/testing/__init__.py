"""For your own tests: Hypothesis strategies, profiles, and an assertion that asks the C++.

from harness.testing import ap_types, values_for, assert_bit_exact
"""

from harness.extras import need

need("hypothesis", "harness.testing", "testing")

from harness.testing.assertions import assert_bit_exact
from harness.testing.profiles import load_profile
from harness.testing.strategies import (
    any_ap_types,
    any_float_types,
    ap_types,
    codes,
    float_types,
    type_pool_of,
    values_for,
)

__all__ = [
    "any_ap_types",
    "any_float_types",
    "ap_types",
    "assert_bit_exact",
    "codes",
    "float_types",
    "load_profile",
    "type_pool_of",
    "values_for",
]
