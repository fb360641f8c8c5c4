"""The old name of ``harness.interfaces.fxpytorch``, for one release."""

from harness.interfaces.fxpytorch import *  # noqa: F403
