"""For all inputs: a fourth witness, which says of *every* input what the others say of many.

>>> from harness.prove import prove_cast
>>> prove_cast("ap_fixed<16,6>", "ap_fixed<8,4,AP_RND,AP_SAT>").proven
True
"""

from harness.extras import need

need("bitwuzla", "harness.prove", "prove")

from harness.prove.equivalent import equivalent
from harness.prove.record import Certificate, Outcome, VacuousError
from harness.prove.rtl import Ports, RtlError, RtlProof, prove_rtl, read_rtl
from harness.prove.run import Run, prove_cast, prove_type, run
from harness.prove.source import Untranslatable

__all__ = [
    "Certificate",
    "Outcome",
    "Ports",
    "RtlError",
    "RtlProof",
    "Run",
    "Untranslatable",
    "VacuousError",
    "equivalent",
    "prove_cast",
    "prove_rtl",
    "prove_type",
    "read_rtl",
    "run",
]
