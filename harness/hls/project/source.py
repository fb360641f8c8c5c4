"""The C++ that hls4ml writes, as statements with their places."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "BrokenProject",
    "ProjectError",
    "Source",
    "Statement",
    "blanked",
    "evaluate",
    "split_arguments",
]

#: Comments and string literals, which are found together because each may contain the other.
_COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)
_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(\w+)[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_TRAILING = re.compile(r"[ \t;]*//[ \t]*(.*?)[ \t]*(?:\n|$)")
_CLOSING = {")": "(", "]": "[", "}": "{"}


class ProjectError(ValueError):
    """What is wrong with a project, in one line, with file and line where there are some."""


class BrokenProject(ProjectError):  # what it is, not what went wrong here
    """A project that is wrong in itself, whatever its arithmetic: what and where, in one line."""


@dataclass(frozen=True)
class Statement:
    """A statement, or what stands before a block.

    Attributes:
        text: without comments, white space single.
        line: where it starts.
        end: the offset in the file after its last character.
        body: the statements between its braces; ``None`` if it has none.
    """

    text: str
    line: int
    end: int
    body: tuple[Statement, ...] | None = None


class Source:
    """A file.

    Args:
        path: the file.
        root: what errors name it relative to.
        synthesis: read what ``__SYNTHESIS__`` selects; by default what C simulation compiles.

    Attributes:
        name: the file relative to ``root``.
        text: what it says.
        statements: those at its top, or in its namespaces.
        namespace: the first namespace that it opens; empty if it opens none.

    Raises:
        ProjectError: if it cannot be read, or its braces do not match.
    """

    def __init__(self, path: Path, root: Path, *, synthesis: bool = False) -> None:
        self.name = path.relative_to(root).as_posix()
        try:
            self.text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise ProjectError(
                f"{path} is missing; is the project written completely, with write()?"
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise ProjectError(f"cannot read {path}: {error}") from None
        self._code = _COMMENT.sub(_blanked, self.text)
        self._select(synthesis)
        statements, self._at = [], 0
        while (found := self._statement()) is not None:
            statements.append(found)
        if self._at < len(self._code):
            raise self.error(self._line(self._at), "a } that closes nothing")
        self.statements = _flat(statements)
        spaces = [s.text.split()[1:] for s in statements if _is_namespace(s)]
        self.namespace = spaces[0][0] if spaces and spaces[0] else ""

    def error(self, line: int, text: str) -> ProjectError:
        """An error at a line of this file."""
        return ProjectError(f"{self.name}:{line}: {text}")

    def comment_after(self, statement: Statement) -> str:
        """The comment that ends the line on which a statement ends; empty if there is none."""
        match = _TRAILING.match(self.text, statement.end)
        return match[1] if match else ""

    def _line(self, offset: int) -> int:
        return self.text.count("\n", 0, offset) + 1

    def _select(self, synthesis: bool) -> None:
        """Blank the directives, and the branches that are not compiled."""
        pieces, kept, end = [], [True], 0
        for match in _DIRECTIVE.finditer(self._code):
            piece = self._code[end : match.start()]
            pieces += [piece if all(kept) else _blank(piece), _blank(match[0])]
            end = match.end()
            word, rest = match.groups()
            if word in ("ifdef", "ifndef"):
                defined = synthesis and rest == "__SYNTHESIS__"
                kept.append(defined == (word == "ifdef"))
            elif word == "else" and len(kept) > 1:
                kept[-1] = not kept[-1]
            elif word == "endif" and len(kept) > 1:
                kept.pop()
            elif not (word in ("include", "pragma") or (word == "define" and " " not in rest)):
                line = self._line(match.start())
                raise self.error(line, f"#{word} is not understood here: {match[0].strip()}")
        if len(kept) > 1:
            raise self.error(self._line(end), "an #endif is missing; is the file complete?")
        self._code = "".join([*pieces, self._code[end:]])

    def _statement(self) -> Statement | None:
        """The next statement; ``None`` at the end of the file or of the block."""
        code = self._code
        while self._at < len(code) and (code[self._at].isspace() or code[self._at] == ";"):
            self._at += 1
        start = self._at
        open_: list[tuple[str, int]] = []
        while self._at < len(code):
            c = code[self._at]
            if c == ";" and not open_:
                self._at += 1
                return self._made(start, self._at - 1)
            if c == "}" and not open_:
                if code[start : self._at].strip():
                    raise self.error(self._line(start), "a statement without its ;")
                return None
            if c == "{" and not open_ and "=" not in _unbracketed(code[start : self._at]):
                return self._block(start)
            if c in "([{":
                open_.append((c, self._at))
            elif c in ")]}" and (not open_ or open_.pop()[0] != _CLOSING[c]):
                raise self.error(self._line(self._at), f"a {c} that closes nothing")
            self._at += 1
        if code[start:].strip():
            raise self.error(
                self._line(open_[-1][1] if open_ else start),
                "what begins here is not ended; is the file complete?",
            )
        return None

    def _block(self, start: int) -> Statement:
        head, opened = self._at, self._at
        self._at += 1
        inner = []
        while (found := self._statement()) is not None:
            inner.append(found)
        if self._at >= len(self._code):
            raise self.error(
                self._line(opened), "the { here is never closed; is the file complete?"
            )
        self._at += 1
        return self._made(start, head, tuple(inner))

    def _made(self, start: int, end: int, body: tuple[Statement, ...] | None = None) -> Statement:
        text = " ".join(self._code[start:end].split())
        return Statement(text, self._line(start), self._at, body)


def blanked(text: str) -> str:
    """C++ with spaces for comments and directives, so that the rest keeps its place."""
    return _DIRECTIVE.sub(lambda match: _blank(match[0]), _COMMENT.sub(_blanked, text))


def evaluate(text: str, value_of: Callable[[str], int]) -> int:
    """A C++ integer expression: numbers, names, ``+ - * / %`` and ``DIV_ROUNDUP``.

    Args:
        text: the expression.
        value_of: the value of a name; raises ``ProjectError`` or ``ValueError`` for an unknown one.

    Raises:
        ValueError: for anything else.
    """
    python = re.sub(r"(?<=\d)[uUlL]+\b", "", text.replace("::", "."))
    try:
        tree = ast.parse(python, mode="eval").body
    except SyntaxError:
        raise ValueError(f"the expression {text!r} is not understood") from None

    def walk(node: ast.expr) -> int:
        match node:
            case ast.Constant(value=int(number)):
                return number
            case ast.Name(id=("true" | "false") as word):
                return int(word == "true")
            case ast.Name(id=name):
                return value_of(name)
            case ast.UnaryOp(op=ast.USub()):
                return -walk(node.operand)
            case ast.BinOp(op=ast.Add()):
                return walk(node.left) + walk(node.right)
            case ast.BinOp(op=ast.Sub()):
                return walk(node.left) - walk(node.right)
            case ast.BinOp(op=ast.Mult()):
                return walk(node.left) * walk(node.right)
            case ast.BinOp(op=ast.Div()):
                return _quotient(walk(node.left), walk(node.right))
            case ast.BinOp(op=ast.Mod()):
                a, b = walk(node.left), walk(node.right)
                return a - b * _quotient(a, b)
            case ast.Call(func=ast.Name(id="DIV_ROUNDUP"), args=[a, b]):
                return _quotient(walk(a) + walk(b) - 1, walk(b))
        raise ValueError(f"the expression {text!r} is not understood")

    return walk(tree)


def _quotient(a: int, b: int) -> int:
    """C++ division, toward zero."""
    if b == 0:
        raise ValueError("an expression divides by zero")
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def split_arguments(text: str) -> list[str]:
    """What commas separate outside of brackets."""
    parts, depth, start = [], 0, 0
    for k, c in enumerate(text):
        depth += (c in "<([{") - (c in ">)]}")
        if c == "," and depth == 0:
            parts.append(text[start:k].strip())
            start = k + 1
    return [part for part in [*parts, text[start:].strip()] if part]


def _blanked(match: re.Match[str]) -> str:
    """Spaces for a comment, a string as it is: what follows keeps its place."""
    return match[0] if match[0].startswith('"') else _blank(match[0])


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _unbracketed(text: str) -> str:
    """What stands outside of parentheses, less template parameters' defaults."""
    parts, depth = [], 0
    for c in text:
        depth += (c in "(<") - (c in ")>")
        parts.append(c if depth == 0 else "")
    return "".join(parts)


def _flat(statements: list[Statement]) -> tuple[Statement, ...]:
    """The statements, those of namespaces among them."""
    found: list[Statement] = []
    for s in statements:
        found += _flat(list(s.body or ())) if _is_namespace(s) else [s]
    return tuple(found)


def _is_namespace(s: Statement) -> bool:
    return s.body is not None and s.text.split()[:1] == ["namespace"]
