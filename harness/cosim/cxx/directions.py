"""What a C++ function does with its arguments and with state, read from its syntax tree.

Where the tree does not tell, an argument goes ``inout``, which is always right, if more than was
needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["direction_of", "indexed", "keeps_state"]

#: What leads from an argument to the place in it that is used.
_THROUGH = (
    "UNEXPOSED_EXPR", "PAREN_EXPR", "ARRAY_SUBSCRIPT_EXPR", "MEMBER_REF_EXPR", "CSTYLE_CAST_EXPR",
    "CXX_STATIC_CAST_EXPR", "CXX_REINTERPRET_CAST_EXPR", "CXX_CONST_CAST_EXPR",
    "CXX_FUNCTIONAL_CAST_EXPR",
)  # fmt: skip
_ASSIGNS = "operator="
#: What may not happen.
_PERHAPS = ("IF_STMT", "SWITCH_STMT", "CONDITIONAL_OPERATOR")
#: Members of a stream, and of the vendor's numbers, by what they do.
_READS = {"read", "read_nb", "operator>>", "empty", "size"}
_WRITES = {"write", "write_nb", "operator<<", "full"}


def direction_of(function: Any, parameter: Any, seen: frozenset[str] = frozenset()) -> str:
    """``in``, ``out`` or ``inout``; ``inout`` if the function's body is not there.

    It goes out alone if it is only written, or if every place of it that is read has been written
    before, whatever the conditions.
    """
    body = _body(function)
    if body is None:
        return "inout"
    seen = seen | {function.get_usr()}
    chains = _chains(body, _own(function, parameter))
    found = [(chain, _use(chain, seen)) for chain in chains]
    uses = {use for _, use in found}
    if uses == {"out"} or (uses and _written_first(found)):
        return "out"
    return "in" if uses <= {"in"} else "inout"


def _written_first(found: list[tuple[tuple[Any, ...], str]]) -> bool:
    """Whether each place, as it is spelled, is written before anything else is done with it."""
    places: dict[str, str] = {}
    for chain, use in found:
        sure = not any(outer.kind.name in _PERHAPS for outer in chain)
        places.setdefault(_place(chain), use if sure else "inout")
    return set(places.values()) == {"out"}


def _place(chain: tuple[Any, ...]) -> str:
    inner = chain[-1]
    for outer in reversed(chain[:-1]):
        if outer.kind.name not in _THROUGH or next(outer.get_children()) != inner:
            break
        inner = outer
    return "".join(t.spelling for t in inner.get_tokens())


def indexed(function: Any, parameter: Any, seen: frozenset[str] = frozenset()) -> bool:
    """Whether a pointer is used as an array, or its use is not seen."""
    body = _body(function)
    if body is None or function.get_usr() in seen:
        return True
    seen = seen | {function.get_usr()}
    return any(_indexes(chain, seen) for chain in _chains(body, _own(function, parameter)))


def _indexes(chain: tuple[Any, ...], seen: frozenset[str]) -> bool:
    """Whether one mention of a pointer looks beyond the first value."""
    inner = chain[-1]
    for outer in reversed(chain[:-1]):
        kind = outer.kind.name
        if kind == "MEMBER_REF_EXPR" or (
            kind == "UNARY_OPERATOR" and _operator(outer, None) == "*"
        ):
            return False  # p->field, *p
        if kind == "CALL_EXPR":
            passed = _passed(outer, inner)
            return passed is None or indexed(outer.referenced, passed, seen)
        if kind != "UNEXPOSED_EXPR":
            return True
        inner = outer
    return False


def _own(function: Any, parameter: Any) -> Any:
    """The parameter as the function's definition has it."""
    definition = function.get_definition() or function
    place = [p.spelling for p in function.get_arguments()].index(parameter.spelling)
    return list(definition.get_arguments())[place]


def _passed(call: Any, argument: Any) -> Any:
    """The callee's parameter that an argument is passed as; ``None`` if it is not known."""
    callee = call.referenced
    parameters = [] if callee is None else list(callee.get_arguments())
    given = list(call.get_arguments())
    if call.spelling.startswith("operator") and len(given) == len(parameters) + 1:
        given = given[1:]  # of a member, the first is the object
    places = [k for k, each in enumerate(given) if each == argument]
    return parameters[places[0]] if places and places[0] < len(parameters) else None


def keeps_state(function: Any, seen: set[str] | None = None) -> bool:
    """Whether a function, or one that it calls, changes variables that outlive a call.

    A callee whose body is not there is taken for one that does not.
    """
    seen = set() if seen is None else seen
    body = _body(function)
    if body is None or function.get_usr() in seen:
        return False
    seen.add(function.get_usr())
    callees = []
    for chain in _mentions(body):
        meant = chain[-1].referenced
        if meant.kind.name == "VAR_DECL":
            if (
                _outlives(meant)
                and not _constant(meant.type)
                and _use(chain, frozenset(seen)) != "in"
            ):
                return True
        elif not _of_the_system(meant):
            callees.append(meant)
    return any(keeps_state(c.get_definition() or c, seen) for c in callees)


def _mentions(cursor: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Each mention of a variable or function, with what it stands in."""
    chain = (*above, cursor)
    if cursor.kind.name in ("DECL_REF_EXPR", "MEMBER_REF_EXPR"):
        meant = cursor.referenced
        if meant is not None and meant.kind.name in ("VAR_DECL", "FUNCTION_DECL", "CXX_METHOD"):
            yield chain
    for child in cursor.get_children():
        yield from _mentions(child, chain)


def _outlives(variable: Any) -> bool:
    static = variable.storage_class.name in ("STATIC", "EXTERN")
    outside = variable.semantic_parent.kind.name in (
        "TRANSLATION_UNIT", "NAMESPACE", "STRUCT_DECL", "CLASS_DECL",
    )  # fmt: skip
    return static or outside


def _constant(kind: Any) -> bool:
    while kind.get_array_size() >= 0:
        kind = kind.element_type
    return bool(kind.is_const_qualified() or kind.get_canonical().is_const_qualified())


def _of_the_system(cursor: Any) -> bool:
    """Whether a function is a header's that is not the user's: those keep no state of a call."""
    return bool(cursor.location.file is None or cursor.location.is_in_system_header) or (
        cursor.location.file.name.rpartition("/")[2].startswith(("ap_", "hls_", "ac_"))
    )


def _body(function: Any) -> Any:
    definition = function.get_definition() or function
    return next((c for c in definition.get_children() if c.kind.name == "COMPOUND_STMT"), None)


def _chains(cursor: Any, parameter: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Each mention of a parameter, with what it stands in, the outermost first."""
    chain = (*above, cursor)
    if cursor.kind.name == "DECL_REF_EXPR":
        meant = cursor.referenced
        if meant is not None and meant == parameter:
            yield chain
    children = list(cursor.get_children())
    if cursor.spelling == _ASSIGNS or _assigns(cursor, children):
        children.reverse()  # what is assigned is computed before
    for child in children:
        yield from _chains(child, parameter, chain)


def _assigns(cursor: Any, children: list[Any]) -> bool:
    return cursor.kind.name == "BINARY_OPERATOR" and _operator(cursor, children[0]) == "="


def _use(chain: tuple[Any, ...], seen: frozenset[str]) -> str:
    """What becomes of one mention."""
    inner = chain[-1]
    for outer in reversed(chain[:-1]):
        kind = outer.kind.name
        children = list(outer.get_children())
        if kind == "ARRAY_SUBSCRIPT_EXPR" and children[0] != inner:
            return "in"  # it is the index
        if kind == "MEMBER_REF_EXPR" and outer.referenced is not None and _method(outer.referenced):
            return _member_use(outer.spelling, outer.referenced)
        if kind in _THROUGH or (kind == "UNARY_OPERATOR" and _operator(outer, None) == "*"):
            inner = outer
            continue
        if kind == "UNARY_OPERATOR":
            return "inout" if _operator(outer, None) in ("++", "--", "&") else "in"
        if kind == "BINARY_OPERATOR" and _points(outer) and not _assigns(outer, children):
            inner = outer  # *(p + k)
            continue
        if kind == "BINARY_OPERATOR" and not (_points(inner) and children[1] == inner):
            return "out" if children[0] == inner and _assigns(outer, children) else "in"
        if kind == "COMPOUND_ASSIGNMENT_OPERATOR":
            return "inout" if children[0] == inner else "in"
        if kind == "CALL_EXPR":
            return _call_use(outer, children, inner, seen)
        break
    return "inout" if _points(inner) else "in"  # a pointer that is kept may be written through


def _points(cursor: Any) -> bool:
    """Whether an expression is the address of values."""
    kind = cursor.type.get_canonical().kind.name
    return kind in ("POINTER", "CONSTANTARRAY", "INCOMPLETEARRAY")


def _method(cursor: Any) -> bool:
    return cursor.kind.name in ("CXX_METHOD", "FUNCTION_TEMPLATE", "CONVERSION_FUNCTION")


def _member_use(name: str, method: Any) -> str:
    if name in _READS:
        return "in"
    if name in _WRITES:
        return "out"
    return "in" if method.is_const_method() else "inout"


def _call_use(call: Any, children: list[Any], inner: Any, seen: frozenset[str]) -> str:
    """What a call does with an argument: by the callee's parameter, or its body."""
    callee = call.referenced
    name = call.spelling
    if callee is None:
        return "inout"
    if callee.kind.name == "CONSTRUCTOR":
        return "in"
    if name.startswith("operator") and children and children[0] == inner:
        if name == _ASSIGNS:
            return "out"
        if (
            name in ("operator<<", "operator>>")
            and "stream<" in inner.type.get_canonical().spelling
        ):
            return "out" if name == "operator<<" else "in"
        if name in ("operator[]", "operator()", "operator->"):
            return "inout"
        if name == "operator*" and len(list(call.get_arguments())) == 1:
            return "inout"
        changes = name.endswith("=") and name not in (
            "operator==", "operator!=", "operator<=", "operator>=",
        )  # fmt: skip
        return "inout" if changes or name in ("operator++", "operator--") else "in"
    parameter = _passed(call, inner)
    if parameter is None:
        return "inout"
    kind = parameter.type.get_canonical()
    if kind.kind.name in ("LVALUEREFERENCE", "POINTER", "CONSTANTARRAY", "INCOMPLETEARRAY"):
        behind = kind.get_pointee() if kind.kind.name in ("LVALUEREFERENCE", "POINTER") else kind
        if _constant(behind):
            return "in"
        if callee.get_usr() in seen:
            return "inout"
        return direction_of(callee, parameter, seen)
    return "in"


def _operator(cursor: Any, left: Any) -> str | None:
    """The operator of an expression: the token behind its left operand, or its own first."""
    for token in cursor.get_tokens():
        if left is None or token.extent.start.offset >= left.extent.end.offset:
            return str(token.spelling)
    return None
