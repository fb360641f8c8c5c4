"""What tests of projects share."""

import pytest

from harness.hls import Project


@pytest.fixture
def opened():
    """Reads projects, and closes them afterwards."""
    found = []

    def read(path):
        found.append(Project.read(path))
        return found[-1]

    yield read
    for project in found:
        project.close()
