"""A headless Chromium on a pipe: what it logs, what it asks the network for, what it shows."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def installed() -> str | None:
    """The browser's path; ``None`` if this machine has none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One tab, driven by the browser's own protocol: messages in JSON that end with a zero."""

    def __init__(self, read: int, write: int) -> None:
        self._in, self._out = os.fdopen(read, "rb"), os.fdopen(write, "wb")
        self._buffer, self._count = b"", 0
        #: What the page said of itself: events by name, in order.
        self.events: list[tuple[str, dict[str, Any]]] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            part = os.read(self._in.fileno(), 1 << 20)
            if not part:
                raise RuntimeError("the browser has ended")
            self._buffer += part
        text, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(text)

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        self._count += 1
        session = getattr(self, "_session", {})
        request = {"id": self._count, "method": method, "params": params, **session}
        self._out.write(json.dumps(request).encode() + b"\0")
        self._out.flush()
        while (answer := self._message()).get("id") != self._count:
            self.events.append((answer["method"], answer["params"]))
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    call = _call

    def open(self, path: Path, *, dark: bool, width: int, height: int = 900) -> None:
        """Show a file, as this wide a screen does."""
        self.events.clear()
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        size = {"width": width, "height": height, "deviceScaleFactor": 1}
        self.call("Emulation.setDeviceMetricsOverride", mobile=False, **size)
        self.call("Page.navigate", url=path.as_uri())
        while not any(name == "Page.loadEventFired" for name, _ in self.events):
            answer = self._message()
            self.events.append((answer["method"], answer["params"]))

    def value(self, expression: str) -> Any:
        """What an expression is on the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"]["value"]

    def photograph(self, path: Path) -> bytes:
        """The whole page as a PNG, which is kept."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))
        return path.read_bytes()

    def printed(self) -> bytes:
        """The page on paper, as a PDF."""
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True)["data"])

    def close(self) -> None:
        """Let go of the pipe."""
        self._in.close()
        self._out.close()

    @property
    def asked(self) -> list[str]:
        """Addresses that the page wanted, its own file left out."""
        sent = [p["request"]["url"] for n, p in self.events if n == "Network.requestWillBeSent"]
        return [url for url in sent if not url.startswith(("file:", "data:"))]

    @property
    def complaints(self) -> list[str]:
        """What the console has: errors, warnings, exceptions."""
        names = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
        return [json.dumps(params) for name, params in self.events if name in names]


@contextlib.contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser that ends with the block; its profile is in ``folder``."""
    program = installed()
    assert program is not None
    to_read, to_write = os.pipe(), os.pipe()
    command = [
        *(program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"),
        *("--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={folder}"),
    ]
    # The protocol's pipe is files 3 and 4 of the browser; a shell puts them there.
    shell = f'exec "$@" 3<&{to_read[0]} 4>&{to_write[1]}'
    with subprocess.Popen(
        ["bash", "-c", shell, "bash", *command],
        pass_fds=(to_read[0], to_write[1]),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(to_read[0])
        os.close(to_write[1])
        try:
            with contextlib.closing(Browser(to_write[0], to_read[1])) as tab:
                yield tab
        finally:
            process.kill()
