"""Hold one implementation against another, over every mode, and say what was found."""

from harness.verify.engine import SubjectError
from harness.verify.profiles import PROFILES, Profile
from harness.verify.records import Mismatch, Tally, Unwitnessed, Verdict
from harness.verify.run import run, verify
from harness.verify.subjects import Implementation, load_subject

__all__ = [
    "PROFILES",
    "Implementation",
    "Mismatch",
    "Profile",
    "SubjectError",
    "Tally",
    "Unwitnessed",
    "Verdict",
    "load_subject",
    "run",
    "verify",
]
