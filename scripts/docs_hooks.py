"""What mkdocs.yml asks for beside its plugins: roles of docstrings are read, not shown."""

import re
from typing import Any

ROLE = re.compile(r":(?:attr|class|data|exc|func|meth|mod):<code>(~?)([\w.]+)</code>")


def on_page_content(html: str, **_: Any) -> str:
    """``:func:`~harness.quantize``` is ``quantize`` in a reader's eyes."""

    def shown(found: re.Match[str]) -> str:
        name = found[2].rpartition(".")[2] if found[1] else found[2]
        return f"<code>{name}</code>"

    return ROLE.sub(shown, html)
