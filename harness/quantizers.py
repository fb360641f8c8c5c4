"""The old name of ``harness.interfaces.quantizers``, for one release."""

from harness.interfaces.quantizers import *  # noqa: F403
