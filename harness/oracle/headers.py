"""Find the vendor's headers and prove that they are the pinned ones."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

from harness.oracle.errors import HeadersError

__all__ = ["Headers", "find_headers", "kernel_directory"]

#: Environment variable that names a header directory, as ``--headers`` does.
VARIABLE = "HARNESS_AP_TYPES"


@dataclass(frozen=True)
class Headers:
    """A directory of ``ap_types`` headers.

    Attributes:
        directory: what goes on the compiler's include path.
        digest: SHA-256 over the names and contents of the headers used.
        pinned: whether they are byte for byte the headers of the manifest.
        sums: SHA-256 of each header that is there; a vendor's own folder has no ``ap_float.h``.
        layers: ... of hls4ml's layers, which are pinned or not used; they are not in ``digest``.
    """

    directory: Path
    digest: str
    pinned: bool
    sums: dict[str, str] = field(hash=False)
    layers: dict[str, str] = field(hash=False, default_factory=dict)

    @cached_property
    def label(self) -> str:
        """How reports name them."""
        origin = "pinned" if self.pinned else "user's own"
        return f"{origin} headers, sha256 {self.digest[:16]}"


def kernel_directory() -> Path:
    """Our own C++ (``ap_types/``): inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    for candidate in (package / "_ap_types", package.parent / "ap_types"):
        if (candidate / "headers.json").is_file():
            return candidate
    raise HeadersError("the package is incomplete: ap_types/headers.json is missing; reinstall it")


def find_headers(directory: str | os.PathLike[str] | None = None) -> Headers:
    """The user's own headers if ``directory`` or ``HARNESS_AP_TYPES`` names them, else the pinned.

    Raises:
        HeadersError: if a header is missing, or an installed one is not the pinned one.
    """
    manifest = json.loads((kernel_directory() / "headers.json").read_text(encoding="utf-8"))
    directory = directory or os.environ.get(VARIABLE) or None
    if directory is None:
        return _pinned(manifest)
    root = Path(directory).expanduser().resolve()
    sums = {name: _sum(root, name) for name in manifest["sha256"]}
    for name in manifest["optional"]:
        if (root / name).is_file():
            sums[name] = _sum(root, name)
    known = manifest["sha256"] | manifest["optional"]
    pinned = all(known[name] == digest for name, digest in sums.items())
    return Headers(root, _digest(sums), pinned, sums)


def _pinned(manifest: dict[str, Any]) -> Headers:
    name, version = manifest["distribution"], manifest["version"]
    remedy = f"pip install 'hls-harness[verify]', or name a directory with --headers or {VARIABLE}"
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        raise HeadersError(f"the vendor's headers come with {name} {version}; {remedy}") from None
    root = Path(str(distribution.locate_file(manifest["directory"])))
    sums = {}
    known = manifest["sha256"] | manifest["optional"] | manifest["layers"]
    for header, expected in known.items():
        sums[header] = _sum(root, header)
        if sums[header] != expected:
            raise HeadersError(
                f"{header} of {name} {distribution.version} is not the pinned one; {remedy}"
            )
    layers = {header: sums.pop(header) for header in manifest["layers"]}
    return Headers(root, _digest(sums), True, sums, layers)


def _sum(root: Path, name: str) -> str:
    try:
        return hashlib.sha256((root / name).read_bytes()).hexdigest()
    except OSError:
        raise HeadersError(
            f"{root} lacks the header {name}; name the folder of ap_fixed.h"
        ) from None


def _digest(sums: dict[str, str]) -> str:
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    return hashlib.sha256(text.encode()).hexdigest()
