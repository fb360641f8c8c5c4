"""Projects that hls4ml wrote: read, compiled with their own headers, and held against a model."""

from harness.hls.project import kernels  # noqa: F401  # enters the kernels
from harness.hls.project.project import Project
from harness.hls.project.source import BrokenProject, ProjectError
from harness.hls.project.top import Call
from harness.hls.project.verify import Verdict, verify

__all__ = ["BrokenProject", "Call", "Project", "ProjectError", "Verdict", "verify"]
