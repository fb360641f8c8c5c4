"""The speeds this project sets itself, and whether a run reached them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TARGETS", "Judgement", "Target"]


@dataclass(frozen=True)
class Target:
    """A bound on a figure: ``at_most`` it, or at least."""

    what: str
    limit: float
    unit: str
    at_most: bool = True

    def judge(self, value: float, note: str = "") -> Judgement:
        """Hold a measured figure against the bound."""
        return Judgement(self, value, note)


@dataclass(frozen=True)
class Judgement:
    """A target, what was measured, and a note on it."""

    target: Target
    value: float
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the bound is kept."""
        bound = self.target
        return self.value <= bound.limit if bound.at_most else self.value >= bound.limit

    @property
    def verdict(self) -> str:
        """``met`` or ``missed``, and by how much, in the unit and in per cent of the limit."""
        off = abs(self.value - self.target.limit)
        share = 100 * off / self.target.limit
        return f"{'met' if self.met else 'missed'} by {off:.2g} ({share:.0f} %)"


TARGETS = {
    "median": Target("quantize, median", 1.5, "x copyto"),
    "worst": Target("quantize, worst", 2.5, "x copyto"),
    "floats": Target("quantize, MiniFloat and FP8", 3.0, "x copyto"),
    "backward": Target("quantizer, forward + backward", 2.0, "x clone"),
    "layer": Target("quantized layer, forward", 1.3, "x Linear"),
    "overhead": Target("quantize, 1,000 elements", 4.0, "us"),
    "forward": Target("quantizer, 1,000 elements", 12.0, "us"),
    "both": Target("... forward + backward", 30.0, "us"),
    "peers": Target("small quantized layer", 2.0, "x as fast", at_most=False),
    "step": Target("training step, small net", 2.0, "x float"),
    "codes": Target("quantize_codes", 1.5, "x copy"),
    "threads": Target("two threads", 1.6, "x one", at_most=False),
    "predict": Target("typed MLP", 20.0, "x as fast", at_most=False),
    "images": Target("typed CNN", 10.0, "x as fast", at_most=False),
    "steps": Target("typed GRU", 10.0, "x as fast", at_most=False),
    "sums": Target("saturating sums", 1.0, "x as fast", at_most=False),
    "twin": Target("a kernel's twin, compiled", 1.0, "s"),
    "edit": Target("an edited C++ file, judged", 3.0, "s"),
    "calls": Target("calls of a C++ function", 5.0, "M/s", at_most=False),
    "rtl": Target("calls of an RTL module", 0.1, "M/s", at_most=False),
    "cast": Target("a cast, proven", 0.1, "s"),
    "proofs": Target("1,000 shapes, proven", 300.0, "s"),
    "doubles": Target("doubles into 4 shapes, proven", 600.0, "s"),
    "checks": Target("checks on one core", 10.0, "M/s", at_most=False),
    "compile": Target("a new C++ type", 0.1, "s"),
    "load": Target("a cached C++ type", 5.0, "ms"),
}
