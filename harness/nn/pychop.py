"""The old name of ``harness.interfaces.pychop``, for one release."""

from harness.interfaces.pychop import *  # noqa: F403
