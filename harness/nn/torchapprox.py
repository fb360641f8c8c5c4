"""The old name of ``harness.interfaces.torchapprox``, for one release."""

from harness.interfaces.torchapprox import *  # noqa: F403
