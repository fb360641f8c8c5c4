"""The old name of ``harness.interfaces.aimet``, for one release."""

from harness.interfaces.aimet import *  # noqa: F403
