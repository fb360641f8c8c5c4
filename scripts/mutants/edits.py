"""Mutants of a Python source: one small edit each, made where the syntax tree says it stands.

An edit replaces a piece of text, so a mutant is shown as the difference a person would make.  What
cannot change a number is left alone: annotations, decorators, messages, assertions, documentation.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Mutant", "mutants_of"]

BINARY: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "+"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "//"),
    ast.Pow: ("**", "*"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.BitXor: ("^", "|"),
}
COMPARED: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
CALLED = {
    "floor": "ceil",
    "ceil": "floor",
    "rint": "trunc",
    "trunc": "floor",
    "min": "max",
    "max": "min",
    "minimum": "maximum",
    "maximum": "minimum",
    "any": "all",
    "all": "any",
    "argmax": "argmin",
    "abs": "int",
}
#: Arguments that only say who owns memory, or what is an error.
KEYWORDS = ("strict", "copy")
SILENT = ("__repr__", "__str__", "describe", "show", "label")


@dataclass(frozen=True)
class Mutant:
    """One edit of one file.

    Attributes:
        path: the file, from the root of the project.
        scope: the function the edit is in, with its classes; ``<module>`` outside of any.
        line, column: where, from 1.
        operator: the kind of edit.
        before, after: the text replaced, and its replacement.
        start: offset of ``before`` in the file.
        key: what names the mutant for ever: its file, function, the function's text, and the edit.
    """

    path: str
    scope: str
    line: int
    column: int
    operator: str
    before: str
    after: str
    start: int
    key: str

    def apply(self, source: str) -> str:
        """The mutated file."""
        return source[: self.start] + self.after + source[self.start + len(self.before) :]

    def diff(self, source: str) -> str:
        """The edit as a unified diff."""
        old, new = source.splitlines(), self.apply(source).splitlines()
        return "\n".join(
            difflib.unified_diff(old, new, f"a/{self.path}", f"b/{self.path}", lineterm="", n=2)
        )

    def __str__(self) -> str:
        """Where and what, in one line."""
        place = f"{self.path}:{self.line}:{self.column}"
        return f"{self.key} {place} {self.scope}: {self.operator} {self.before!r} -> {self.after!r}"


def named(path: str, scope: str, text: str, operator: str, offset: int, after: str) -> str:
    """The key of a mutant; ``offset`` counts from the start of its function's ``text``."""
    facts = "\n".join((path, scope, text, operator, str(offset), after))
    return hashlib.sha256(facts.encode()).hexdigest()[:12]


def mutants_of(path: str, source: str) -> list[Mutant]:
    """Every mutant of a Python file, in the order of the text."""
    finder = _Finder(path, source)
    finder.visit(ast.parse(source))
    return sorted(finder.found, key=lambda m: (m.start, m.operator, m.after))


class _Finder(ast.NodeVisitor):
    """Walks the tree and keeps the function it is in."""

    def __init__(self, path: str, source: str) -> None:
        self.path, self.source = path, source
        self.found: list[Mutant] = []
        self.scope: list[str] = []
        self.owner: ast.AST | None = None  # the function, or the statement outside of any
        lines = source.splitlines(keepends=True)
        self.lines = [line.encode() for line in lines]
        self.starts = [0]
        for line in lines:
            self.starts.append(self.starts[-1] + len(line))

    def at(self, line: int, column: int) -> int:
        """The offset of a place, of which the tree counts bytes."""
        return self.starts[line - 1] + len(self.lines[line - 1][:column].decode())

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """The offsets of a node's text."""
        end = self.at(node.end_lineno or 0, node.end_col_offset or 0)
        return self.at(node.lineno, node.col_offset), end

    def text(self, node: ast.expr) -> str:
        """A node's text."""
        start, end = self.span(node)
        return self.source[start:end]

    def add(self, operator: str, start: int, end: int, after: str) -> None:
        """Note an edit."""
        assert self.owner is not None
        first, last = self.span(self.owner)  # type: ignore[arg-type]  # functions and statements
        scope = ".".join(self.scope) or "<module>"
        line = self.source.count("\n", 0, start) + 1
        column = start - self.starts[line - 1] + 1
        before, around = self.source[start:end], self.source[first:last]
        key = named(self.path, scope, around, operator, start - first, after)
        self.found.append(
            Mutant(self.path, scope, line, column, operator, before, after, start, key)
        )

    def token(self, left: ast.expr, right: ast.expr, symbol: str) -> tuple[int, int]:
        """Where the operator between two nodes stands; parentheses and comments may surround it."""
        begin, end = self.span(left)[1], self.span(right)[0]
        words = symbol.split()
        for place in self._tokens(begin, end, words[0]):
            if len(words) == 1:
                return place
            last = next(self._tokens(place[1], end, words[1]))
            return place[0], last[1]
        raise AssertionError(f"no {symbol} between {self.text(left)} and {self.text(right)}")

    def _tokens(self, begin: int, end: int, word: str) -> Iterator[tuple[int, int]]:
        piece = self.source[begin:end]
        offsets = [0]
        for line in piece.splitlines(keepends=True):
            offsets.append(offsets[-1] + len(line))
        try:
            for found in tokenize.generate_tokens(io.StringIO(piece).readline):
                if found.string == word:
                    start = begin + offsets[found.start[0] - 1] + found.start[1]
                    yield start, start + len(word)
        except (tokenize.TokenError, IndentationError):  # an unclosed parenthesis, after the word
            return

    # What is walked, and with which owner.

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.name in SILENT:
            return
        owner, self.owner = self.owner, node
        self.scope.append(node.name)
        for default in [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]:
            self.visit(default)
        for statement in node.body:
            self.visit(statement)
        self.scope.pop()
        self.owner = owner

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.scope.append(node.name)
        for statement in node.body:
            self._outside(statement)
        self.scope.pop()

    def visit_Module(self, node: ast.Module) -> None:
        for statement in node.body:
            self._outside(statement)

    def _outside(self, node: ast.stmt) -> None:
        names = [t.id for t in getattr(node, "targets", []) if isinstance(t, ast.Name)]
        if isinstance(node, ast.If) or any(name.startswith("__") for name in names):
            return  # imports for types, and what a module exports
        self.owner = node
        self.visit(node)
        self.owner = None

    def _nothing(self, node: ast.AST) -> None:
        """Messages and promises."""

    # The names are those of the syntax tree.
    visit_Raise = visit_Assert = visit_JoinedStr = _nothing  # noqa: N815
    visit_Import = visit_ImportFrom = _nothing  # noqa: N815

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg not in KEYWORDS:
            self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    # What is edited.

    def visit_BinOp(self, node: ast.BinOp) -> None:
        kind = BINARY.get(type(node.op))
        strings = any(
            isinstance(n, ast.Constant | ast.JoinedStr) and not _number(n)
            for n in (node.left, node.right)
        )
        if kind and not strings:
            start, end = self.token(node.left, node.right, kind[0])
            self.add("operator", start, end, kind[1])
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        kind = BINARY.get(type(node.op))
        if kind:
            start, end = self.token(node.target, node.value, kind[0] + "=")
            self.add("operator", start, end, kind[1] + "=")
        self.visit(node.value)

    def visit_Compare(self, node: ast.Compare) -> None:
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            before, after = COMPARED[type(op)]
            start, end = self.token(left, right, before)
            self.add("comparison", start, end, after)
            left = right
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        before, after = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            start, end = self.token(left, right, before)
            self.add("boolean", start, end, after)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if not isinstance(node.op, ast.UAdd):
            start = self.span(node)[0]
            end = self.span(node.operand)[0]
            # Parentheses stay: only the sign goes.
            sign = {ast.Not: "not", ast.USub: "-", ast.Invert: "~"}[type(node.op)]
            place = start + len(sign)
            spaces = len(self.source[place:end]) - len(self.source[place:end].lstrip())
            self.add("sign", start, place + spaces, "")
        self.generic_visit(node)

    def _negated(self, node: ast.If | ast.IfExp) -> None:
        # Of a comparison for equality the opposite is a mutant already.
        plain = isinstance(node.test, ast.Compare) and len(node.test.ops) == 1
        equal = plain and not isinstance(node.test.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE)  # type: ignore[attr-defined]
        if not equal and not isinstance(node.test, ast.UnaryOp):
            start, end = self.span(node.test)
            self.add("condition", start, end, f"not ({self.source[start:end]})")
        self.generic_visit(node)

    visit_If = visit_IfExp = _negated  # noqa: N815

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else None
        name = node.func.id if isinstance(node.func, ast.Name) else name
        if name in ("isinstance", "warn"):
            return  # a union of types is no arithmetic
        after = CALLED.get(name or "")
        if after is not None and name is not None:
            end = self.span(node.func)[1]
            if name != "abs" or isinstance(node.func, ast.Name):
                self.add("function", end - len(name), end, "" if name == "abs" else after)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if not _number(node):
            return
        value = node.value
        if isinstance(value, bool):
            after = str(not value)
        elif isinstance(value, int):
            after = hex(value + 1) if "0x" in self.text(node) else str(value + 1)
        else:
            after = repr(2 * value) if value else "1.0"
        self.add("constant", *self.span(node), after)


def _number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float)
