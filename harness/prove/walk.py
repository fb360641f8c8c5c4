"""A function's text, carried out on terms: statement by statement, as Python would run it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from harness.prove.functions import BUILTINS, NUMPY, both, either
from harness.prove.machine import (
    Row,
    Unsigned,
    as_word,
    binary,
    compared,
    known,
    merged,
    narrowed,
    stored,
    truth_of,
    unary,
)
from harness.prove.reals import copysign
from harness.prove.solve import possible
from harness.prove.terms import Truth

__all__ = ["KNOWN", "Function", "Untranslatable", "World", "assigned", "returned"]

#: What is known of types, which is computed before any loop runs, and so is called as it is.
KNOWN = ("harness.quantize.plan", "harness.types")


class Untranslatable(ValueError):
    """A line of source that the translator does not carry out."""


class Text(Protocol):
    """A module that functions stand in."""

    name: str

    def named(self, name: str) -> Any:
        """What a name at the module's level stands for."""


class Function:
    """A function of a module, with the variables around it."""

    def __init__(
        self, source: Text, definition: ast.FunctionDef, around: Mapping[str, Any] | None = None
    ) -> None:
        self.source, self.definition, self.around = source, definition, around or {}


class World:
    """What all calls of one translation share: the duties, how it runs, the memory of arrays."""

    def __init__(self, duties: list[Truth], compiled: bool) -> None:
        self.duties, self.compiled = duties, compiled
        self.memory: list[list[Any]] = []


def returned(function: Function, arguments: Sequence[Any], world: World, when: Truth) -> Any:
    """What a function returns for inputs of which something is known.

    Raises:
        Untranslatable: for a line that cannot be carried out.
    """
    return _Call(function, world, when).run(arguments)


def assigned(line: ast.stmt, source: Text) -> dict[str, Any]:
    """What a line at a module's level gives names to; nothing if it is about other things."""
    outside = ast.parse("def module(): pass").body[0]
    assert isinstance(outside, ast.FunctionDef)
    call = _Call(Function(source, outside), World([], compiled=False), Truth(True))
    try:
        call.statement(line)
    except Untranslatable:
        return {}
    return call.variables


class _Call:
    """One call of a function: its variables, and where in it the inputs can lead."""

    def __init__(self, function: Function, world: World, when: Truth) -> None:
        self.source, self.function = function.source, function.definition
        self.world, self.when = world, when
        self.variables: dict[str, Any] = dict(function.around)

    def run(self, arguments: Sequence[Any]) -> Any:
        names = [argument.arg for argument in self.function.args.args]
        self.variables.update(zip(names, arguments, strict=True))
        _, value = self.block(self.function.body)
        return value

    def duty(self, truth: Truth) -> None:
        """Note what must hold where this line is reached."""
        self.world.duties.append(~self.when | truth)

    # Statements.  A block ends with whether it returned, and what.

    def block(self, body: Sequence[ast.stmt]) -> tuple[bool, Any]:
        for k, line in enumerate(body):
            way: Sequence[ast.stmt] | None = None
            if isinstance(line, ast.If):
                test = truth_of(self.value(line.test))
                if not isinstance(test, bool):
                    return self.fork(test, line, body[k + 1 :])
                way = line.body if test else line.orelse
            elif isinstance(line, ast.Match):
                way = self.matching(line)
            returned, value = self.statement(line) if way is None else self.block(way)
            if returned:
                return True, value
        return False, None

    def matching(self, line: ast.Match) -> Sequence[ast.stmt]:
        """The case of what is known: a value, or the rest."""
        subject = self.value(line.subject)
        for case in line.cases:
            match case:
                case ast.match_case(pattern=ast.MatchValue(value=value), guard=None, body=body):
                    if known(subject) and subject == self.value(value):
                        return body
                case ast.match_case(pattern=ast.MatchAs(pattern=None), guard=None, body=body):
                    return body
                case _:
                    raise self.refused(line)
        return []

    def fork(self, test: Truth, line: ast.If, rest: Sequence[ast.stmt]) -> tuple[bool, Any]:
        """Both ways to the end of the block; what they leave behind is chosen by the test.

        A way that no input takes is not gone.
        """
        for way, never in ((line.orelse, test), (line.body, ~test)):
            if not possible([self.when, never]):
                return self.block([*way, *rest])
        before, when = self.variables, self.when
        memory = self.world.memory
        kept = [list(items) for items in memory]
        ends, left_there = [], []
        for condition, way in ((test, line.body), (~test, line.orelse)):
            self.variables, self.when = dict(before), when & condition
            ends.append((self.block([*way, *rest]), self.variables))
            left_there.append([list(items) for items in memory[: len(kept)]])
            for items, old in zip(memory, kept, strict=False):
                items[:] = old
        self.when = when
        for items, one, two in zip(memory, *left_there, strict=False):
            items[:] = [merged(test, x, y) for x, y in zip(one, two, strict=True)]
        ((returned, a), left), ((other, b), right) = ends
        if returned != other:
            raise self.refused(line, "returns on one way only")
        shared = left.keys() & right.keys()
        if not returned:
            self.variables = {name: merged(test, left[name], right[name]) for name in shared}
        return returned, merged(test, a, b) if returned else None

    def statement(self, line: ast.stmt) -> tuple[bool, Any]:
        match line:
            case ast.Return(value=None):
                return True, None
            case ast.Return(value=expression):
                return True, self.value(expression)
            case ast.Expr(value=expression):
                if not isinstance(expression, ast.Constant):  # a docstring
                    self.value(expression)
            case ast.Assign(targets=[*targets], value=expression):
                value = self.value(expression)
                for target in targets:
                    self.assign(target, value)
            case ast.AnnAssign(target=target, value=expression) if expression is not None:
                self.assign(target, self.value(expression))
            case ast.FunctionDef(name=name):
                self.variables[name] = Function(self.source, line, dict(self.variables))
            case ast.AugAssign(target=target, op=op, value=expression):
                before = self.value(_loaded(target))
                self.assign(target, self.binary(op, before, self.value(expression)))
            case ast.For(target=target, iter=over, body=body, orelse=[]):
                for item in self.value(over):
                    self.assign(target, item)
                    returned, value = self.block(body)
                    if returned:
                        return True, value
            case _:
                raise self.refused(line)
        return False, None

    def assign(self, target: ast.expr, value: Any) -> None:
        match target:
            case ast.Name(id=name):
                self.variables[name] = value
            case ast.Tuple(elts=targets):
                for part, item in zip(targets, value, strict=True):
                    self.assign(part, item)
            case ast.Subscript(value=array, slice=ast.Slice(lower=None, upper=None)):
                self.value(array).fill(value, self.duty)
            case ast.Subscript(value=array, slice=index):
                row = self.value(array)
                place = row.place(self.value(index))
                row.items[place] = stored(value, row.kind, self.duty)
            case _:
                raise self.refused(target)

    # Expressions.

    def value(self, line: Any) -> Any:
        try:
            return self.expression(line)
        except Untranslatable:
            raise
        except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError) as error:
            raise self.refused(line, str(error)) from error

    def expression(self, line: Any) -> Any:
        match line:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self.variables[name] if name in self.variables else self.source.named(name)
            case ast.Tuple(elts=parts):
                return tuple(self.value(part) for part in parts)
            case ast.GeneratorExp(elt=part, generators=[ast.comprehension(ifs=[]) as over]):
                return tuple(self.each(part, over))
            case ast.Dict(keys=keys, values=values):
                return {self.value(k): self.value(v) for k, v in zip(keys, values, strict=True)}
            case ast.Lambda(args=names, body=body):
                return Function(self.source, _as_function(names, body), dict(self.variables))
            case ast.UnaryOp(op=op, operand=operand):
                return unary(op, self.value(operand), compiled=self.world.compiled)
            case ast.BinOp(left=left, op=op, right=right):
                return self.binary(op, self.value(left), self.value(right))
            case ast.Compare(left=left, ops=ops, comparators=rights):
                return self.comparison(left, ops, rights)
            case ast.BoolOp(op=op, values=parts):
                return self.logic(op, parts)
            case ast.IfExp(test=test, body=body, orelse=other):
                return self.either(truth_of(self.value(test)), body, other)
            case ast.Attribute(value=owner, attr=name):
                return getattr(self.value(owner), name)
            case ast.Subscript(value=array, slice=ast.Slice()):
                return self.value(array)  # a block of an array of one element is the array
            case ast.Subscript(value=array, slice=index):
                return self.element(self.value(array), self.value(index))
            case ast.Call(func=function, args=arguments, keywords=[]):
                return self.called(function, self.arguments(arguments))
            case _:
                raise self.refused(line)

    def binary(self, op: ast.operator, a: Any, b: Any) -> Any:
        return binary(op, a, b, self.duty, compiled=self.world.compiled)

    def comparison(self, left: ast.expr, ops: Any, rights: Any) -> Any:
        found: Any = True
        a = self.value(left)
        for op, right in zip(ops, rights, strict=True):
            b = self.value(right)
            if isinstance(op, ast.Is | ast.IsNot):
                found = both(found, (a is b) == isinstance(op, ast.Is))
            elif isinstance(op, ast.In | ast.NotIn) and known(a, *b):
                found = both(found, (a in b) == isinstance(op, ast.In))
            else:
                found = both(found, compared(op, a, b))
            a = b
        return found

    def each(self, part: ast.expr, over: ast.comprehension) -> Iterator[Any]:
        """The elements of a generator, whose variable is its own."""
        outside = self.variables
        self.variables = dict(outside)
        for item in self.value(over.iter):
            self.assign(over.target, item)
            yield self.value(part)
        self.variables = outside

    def logic(self, op: ast.boolop, parts: Sequence[ast.expr]) -> Any:
        conjunction = isinstance(op, ast.And)
        found: Truth | bool = conjunction
        for part in parts:
            if isinstance(found, bool) and found is not conjunction:
                return found
            truth = truth_of(self.value(part))
            found = both(found, truth) if conjunction else either(found, truth)
        return found

    def either(self, test: Truth | bool, body: ast.expr, other: ast.expr) -> Any:
        if isinstance(test, bool):
            return self.value(body if test else other)
        when = self.when
        self.when = when & test
        a = self.value(body)
        self.when = when & ~test
        b = self.value(other)
        self.when = when
        return merged(test, a, b)

    def element(self, array: Any, index: Any) -> Any:
        if isinstance(array, Row):
            whole = len(array.shape) == 2 and not isinstance(index, tuple)
            return array.row(index) if whole else array.read(array.place(index))
        return int(array[index]) if isinstance(array, np.ndarray) else array[index]

    def arguments(self, lines: Sequence[ast.expr]) -> list[Any]:
        found: list[Any] = []
        for line in lines:
            if isinstance(line, ast.Starred):
                found += self.value(line.value)
            else:
                found.append(self.value(line))
        return found

    def called(self, function: ast.expr, arguments: list[Any]) -> Any:
        match function:
            case ast.Attribute(value=ast.Name(id="np"), attr="empty"):
                return self.array(Row([None], np.dtype(arguments[1]).name))
            case ast.Attribute(value=ast.Name(id="np"), attr="empty_like"):
                (like,) = arguments
                return self.array(Row([None] * like.size, like.dtype.name))
            case ast.Attribute(value=ast.Name(id="np"), attr="copysign"):
                return copysign(*arguments)
            case ast.Attribute(value=ast.Name(id="np"), attr=name):
                return NUMPY[name](*arguments)
            case ast.Name(id=name) if name in BUILTINS and name not in self.variables:
                return BUILTINS[name](*arguments)
            case ast.Attribute(value=owner, attr="astype" | "view" as name):
                return self.array(getattr(self.value(owner), name)(*arguments))
        found = self.value(function)
        if isinstance(found, Function):
            return _Call(found, self.world, self.when).run(arguments)
        if isinstance(found, type) and issubclass(found, np.unsignedinteger):
            return Unsigned(as_word(arguments[0]).bits(8 * np.dtype(found).itemsize - 1, 0))
        if isinstance(found, type) and issubclass(found, np.signedinteger):
            return narrowed(arguments[0], 8 * np.dtype(found).itemsize)
        if getattr(found, "__module__", "") in KNOWN and known(*arguments):
            return found(*arguments)
        raise self.refused(function)

    def array(self, row: Row) -> Row:
        """A new array, whose memory is from now on watched."""
        if not any(row.items is items for items in self.world.memory):
            self.world.memory.append(row.items)
        return row

    def refused(self, line: ast.AST, why: str = "") -> Untranslatable:
        text = ast.unparse(line)
        because = f": {why}" if why else ""
        place = f"{self.source.name}.{self.function.name}"
        return Untranslatable(f"{place} has {text!r}, which is not carried out{because}")


def _as_function(arguments: ast.arguments, body: ast.expr) -> ast.FunctionDef:
    """A lambda, as a function is kept."""
    lines: list[ast.stmt] = [ast.Return(body)]
    return ast.FunctionDef(name="lambda", args=arguments, body=lines, decorator_list=[])


def _loaded(target: ast.expr) -> ast.expr:
    """The same place, read."""
    return ast.parse(ast.unparse(target), mode="eval").body
