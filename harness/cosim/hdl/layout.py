"""Which port of a hardware module is what: arguments, their channels and memories, and control."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.cosim.errors import SignatureError
from harness.cosim.hdl.arguments import Arguments, Asked, Part
from harness.cosim.hdl.ports import Wire
from harness.cosim.signature import RESULT, Signature
from harness.names import instead

__all__ = ["PROTOCOLS", "Layout", "laid_out"]

#: What callers may ask for, and how a call of each is made.
PROTOCOLS = {
    "combinational": "no clock: inputs in, outputs out",
    "pipeline": "a call every `interval` cycles, its outputs `latency` cycles later",
    "handshake": "channels of valid and ready: a call is one transfer on each",
    "ap_ctrl_hs": "Vitis' ap_start and ap_done, with its ports of scalars, arrays and streams",
    "stream": "Vitis' streams alone (ap_ctrl_none): a call is what it reads and writes",
}
CLOCKS = ("ap_clk", "clk", "clock", "aclk", "clk_i", "i_clk")
RESETS = ("rst", "reset", "aresetn", "aresetn_i", "rst_i", "i_rst", "areset")
CONTROL = ("ap_start", "ap_done", "ap_idle", "ap_ready", "ap_continue")
_MEMORY = re.compile(r"(.+)_(address|ce|we|d|q)([01])$")
_AXIS = re.compile(r"(.+?)_?(t(?:data|valid|ready|last|keep|strb|user|id|dest))$", re.I)
_FIFO = re.compile(r"(.+)_(dout|empty_n|read|din|full_n|write)$")
_SCALAR = re.compile(r"(.+?)_ap_(vld|ack)$")
_VALID = re.compile(r"(?:^|_)([a-z]?)(valid|vld)(?:_|$)|([a-z])(valid)$", re.I)
_BUS = re.compile(r"[sm]_axi_", re.I)


@dataclass(frozen=True)
class Layout:
    """A module, ready to be called.

    Attributes:
        signature: as callers see it.
        protocol: one of :data:`PROTOCOLS`.
        parts: the arguments; what is returned comes first.
        control: ``clock``, ``reset``, ``start``, ``done``, ``ready``, ``go_on``: those there are.
        reset_low: whether 0 resets.
        ties: inputs that have one value for ever.
    """

    signature: Signature
    protocol: str
    parts: tuple[Part, ...]
    control: Mapping[str, str]
    reset_low: bool
    ties: Mapping[str, int]


def laid_out(name: str, wires: Sequence[Wire], asked: Asked) -> Layout:
    """Tell what each port of a module is.

    Raises:
        SignatureError: if it cannot be told, or is not what the caller says.
    """
    free = {w.name: w for w in wires}
    for port in (*asked.tie, *asked.valid.values(), *asked.ready.values()):
        _known(port, free, name, "port")
    if bus := next((n for n in free if _BUS.match(n)), None):
        raise SignatureError(f"{bus} is of an AXI bus with addresses, which is not carried")
    ties = {port: asked.tie[port] for port in asked.tie if free.pop(port)}
    control = {}
    if asked.protocol != "combinational" and (clock := _clock(free, asked, name)):
        control["clock"] = free.pop(clock).name
        if reset := _reset(free, asked, name):
            control["reset"] = free.pop(reset).name
    protocol = _protocol(free, asked, "clock" in control, name)
    if protocol == "ap_ctrl_hs":
        roles = dict(zip(CONTROL, ("start", "done", "", "ready", "go_on"), strict=True))
        control |= {role: free.pop(n).name for n, role in roles.items() if n in free and role}
        free.pop("ap_idle", None)
    typed = Arguments(asked)
    if protocol in ("ap_ctrl_hs", "stream"):
        parts, more = _vitis(free, typed, protocol)
        ties |= more
    elif protocol == "handshake":
        parts = _channelled(free, typed, asked)
    else:
        parts = [typed.scalar(w, {}) for w in free.values()]
    typed.used()
    if not any(p.port.comes_out for p in parts):
        raise SignatureError(f"{name} has no output")
    ports = dict.fromkeys(p.port for p in parts)
    ordered = sorted(ports, key=lambda p: p.name == RESULT)
    signature = Signature(name, tuple(ordered), stateful="clock" in control)
    low = asked.reset_low
    if low is None:
        low = bool(re.search(r"(_n|resetn|rstn)(_i)?$", control.get("reset", ""), re.I))
    first = sorted(parts, key=lambda p: p.port.name != RESULT)
    return Layout(signature, protocol, tuple(first), control, low, ties)


def _known(port: str, free: Mapping[str, Wire], module: str, what: str) -> str:
    if port not in free:
        raise SignatureError(f"{module} has no {what} {port}: {instead(port, free)}")
    return port


def _clock(free: Mapping[str, Wire], asked: Asked, module: str) -> str | None:
    if asked.clock is not None:
        return _known(asked.clock, free, module, "clock")
    return next((n for n, w in free.items() if n.lower() in CLOCKS and w.goes_in), None)


def _reset(free: Mapping[str, Wire], asked: Asked, module: str) -> str | None:
    if isinstance(asked.reset, str):
        return _known(asked.reset, free, module, "reset")
    if asked.reset is False:
        return None
    names = {
        *RESETS,
        *(f"{p}{r}{n}" for p in ("", "ap_") for r in RESETS[:2] for n in ("", "_n", "n")),
    }
    return next((n for n, w in free.items() if n.lower() in names and w.goes_in), None)


def _protocol(free: Mapping[str, Wire], asked: Asked, clocked: bool, module: str) -> str:
    """The protocol that is asked for, or that the names of the ports tell."""
    found = asked.protocol
    if found is not None and found not in PROTOCOLS:
        raise SignatureError(f"no protocol {found!r}: {instead(found, PROTOCOLS)}")
    if found is None:
        streams = any(n.lower().endswith(("tdata", "_empty_n", "_full_n")) for n in free)
        if not clocked:
            found = "combinational"
        elif "ap_start" in free and "ap_done" in free:
            found = "ap_ctrl_hs"
        elif asked.latency is not None:
            found = "pipeline"
        elif streams:
            found = "stream"
        elif asked.valid or any(_VALID.search(n) for n in free):
            found = "handshake"
        else:
            raise SignatureError(
                f"{module} has a clock: say latency=N for a pipeline, or protocol= "
                f"{', '.join(list(PROTOCOLS)[2:])}"
            )
    if found != "combinational" and not clocked:
        raise SignatureError(f"{module} has no clock that is known by its name: name it, clock=")
    if found == "pipeline" and asked.latency is None:
        raise SignatureError("a pipeline needs its latency: latency=N, 1 for one register")
    if found != "pipeline" and asked.latency is not None:
        raise SignatureError(f"latency= is of the protocol pipeline, not of {found}")
    return found


# Vitis ------------------------------------------------------------------------------------------


def _vitis(
    free: Mapping[str, Wire], typed: Arguments, protocol: str
) -> tuple[list[Part], dict[str, int]]:
    """The parts of Vitis' ports, and its side channels, which get one value."""
    groups: dict[str, dict[str, Wire]] = {}
    for name, wire in free.items():
        group, role = _role(name, free)
        groups.setdefault(group, {})[role] = wire
    parts: list[Part] = []
    ties: dict[str, int] = {}
    for name, wires in groups.items():
        pins = {role: w.name for role, w in wires.items()}
        if "address0" in wires:
            _check_memory(name, wires)
            parts.append(typed.memory(name, wires, pins))
        elif "tdata" in wires:
            parts.append(_axis(name, wires, pins, typed, protocol, ties))
        elif "dout" in wires or "din" in wires:
            taken = ("dout", "empty_n", "read") if "dout" in wires else ("din", "write", "full_n")
            data, valid, ready = (_needed(name, role, wires) for role in taken)
            part = typed.stream(name, data, {"valid": valid.name, "ready": ready.name})
            parts.append(_counted(part, protocol))
        else:
            parts.extend(_scalars(name, wires, typed))
    return parts, ties


def _role(name: str, free: Mapping[str, Wire]) -> tuple[str, str]:
    """The argument that a port is of, and what it is there."""
    if (m := _MEMORY.match(name)) and f"{m[1]}_address0" in free:
        return m[1], f"{m[2]}{m[3]}"
    data = {n.lower().replace("_tdata", "tdata") for n in free}
    if (m := _AXIS.match(name)) and f"{m[1]}tdata".lower() in data:
        return m[1], m[2].lower()
    if (m := _FIFO.match(name)) and {f"{m[1]}_empty_n", f"{m[1]}_full_n"} & set(free):
        return m[1], m[2]
    if m := _SCALAR.match(name):
        base = m[1].removesuffix("_i").removesuffix("_o") if f"{m[1][:-2]}_o" in free else m[1]
        return base, f"{'o_' if base != m[1] and m[1].endswith('_o') else ''}{m[2]}"
    if name == "ap_return":
        return RESULT, "data"
    both = {f"{name[:-2]}_i", f"{name[:-2]}_o"} <= set(free)
    return (name[:-2], f"{name[-1]}_data") if both else (name, "data")


def _scalars(name: str, wires: Mapping[str, Wire], typed: Arguments) -> Iterator[Part]:
    pins = {role: w.name for role, w in wires.items()}
    if "data" in wires:
        channel = {"valid": "vld", "ready": "ack"}
        yield typed.scalar(
            wires["data"], {r: pins[p] for r, p in channel.items() if p in pins}, name
        )
        return
    if not {"i_data", "o_data"} <= set(wires):
        raise SignatureError(f"{name} has no port of data: {', '.join(pins.values())}")
    goes = {"valid": "vld", "ready": "ack"}
    part = typed.scalar(
        wires["i_data"], {r: pins[p] for r, p in goes.items() if p in pins}, name, "inout"
    )
    yield part
    comes = {"valid": "o_vld", "ready": "o_ack"}
    out = typed.scalar(
        wires["o_data"], {r: pins[p] for r, p in comes.items() if p in pins}, name, "inout"
    )
    yield replace(out, port=replace(out.port, cpp=part.port.cpp))


def _axis(
    name: str,
    wires: Mapping[str, Wire],
    pins: Mapping[str, str],
    typed: Arguments,
    protocol: str,
    ties: dict[str, int],
) -> Part:
    valid, ready = _needed(name, "tvalid", wires), wires.get("tready")
    channel = {"valid": valid.name} | ({"ready": ready.name} if ready else {})
    if "tlast" in wires:
        channel["last"] = pins["tlast"]
    if wires["tdata"].goes_in:
        # Every byte counts; nobody says what the others mean.
        for role, w in wires.items():
            if role in ("tkeep", "tstrb"):
                ties[w.name] = (1 << w.width) - 1
            elif role in ("tuser", "tid", "tdest"):
                ties[w.name] = 0
    return _counted(typed.stream(name, wires["tdata"], channel), protocol)


def _counted(part: Part, protocol: str) -> Part:
    """Where no ap_done ends a call, each stream has to."""
    name = part.port.name
    ended = "last" in part.pins or part.port.length is not None
    if protocol == "stream" and part.port.comes_out and not ended:
        raise SignatureError(
            f"{name} has neither TLAST nor ap_done to end a call: say how many values a call "
            f"writes, sizes={{'{name}': n}}"
        )
    return part


def _check_memory(name: str, wires: Mapping[str, Wire]) -> None:
    for bank in "01":
        if f"address{bank}" in wires:
            _needed(name, f"ce{bank}", wires)
    if "d0" in wires or "d1" in wires:
        write = _needed(name, "we0" if "d0" in wires else "we1", wires)
        if write.width != 1:
            raise SignatureError(f"{write.name} enables bytes, which is not carried: one bit only")


def _needed(name: str, role: str, wires: Mapping[str, Wire]) -> Wire:
    if role not in wires:
        ports = ", ".join(w.name for w in wires.values())
        raise SignatureError(f"{name} has no port {role} beside {ports}")
    return wires[role]


# Valid and ready --------------------------------------------------------------------------------


def _channelled(free: dict[str, Wire], typed: Arguments, asked: Asked) -> list[Part]:
    """The data of channels: by what the caller says, else by names that begin alike."""
    valids = {n: w for n, w in free.items() if n in asked.valid.values() or _VALID.search(n)}
    ready_of = {v: asked.ready.get(d, "") for d, v in asked.valid.items()}
    for valid, wire in valids.items():
        twin = ready_of.get(valid) or _twin(valid)
        if twin in free and free[twin].goes_in != wire.goes_in:
            ready_of[valid] = twin
    handled = {*valids, *ready_of.values()}
    parts = []
    for name, wire in free.items():
        if name in handled:
            continue
        valid = asked.valid.get(name) or _valid_of(wire, valids)
        pins = {"valid": valid}
        if ready := ready_of.get(valid):
            pins["ready"] = ready
        parts.append(typed.scalar(wire, pins))
    return parts


def _valid_of(wire: Wire, valids: Mapping[str, Wire]) -> str:
    """The valid of the channel that a port is of."""
    same = [v for v, w in valids.items() if w.goes_in == wire.goes_in]
    if len(same) == 1:
        return same[0]
    near = [
        v for v in same if (p := _stem(v)) and (wire.name == p or wire.name.startswith(f"{p}_"))
    ]
    if near:
        return max(near, key=len)
    what = f"one of {', '.join(same)}" if same else "and there is none in its direction"
    raise SignatureError(
        f"{wire.name} needs the valid of its channel, {what}: say valid={{'{wire.name}': ...}}"
    )


def _twin(valid: str) -> str:
    """The ready beside a valid, in the same letters."""
    for one, other in (("valid", "ready"), ("VALID", "READY"), ("vld", "rdy"), ("Valid", "Ready")):
        if one in valid:
            return valid.replace(one, other)
    return ""


def _stem(valid: str) -> str:
    """What the names of a channel have in common: ``in`` of ``in_valid`` and of ``valid_in``."""
    return re.sub(r"[a-z]?(valid|vld)", "", valid, flags=re.I).strip("_")
