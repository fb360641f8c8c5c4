"""What was found of an hls4ml project, for programs: JSON."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from harness.fixed import Fixed
from harness.hls.check import Advice, Fidelity, Findings, LayerLoss, Loss
from harness.hls.compare import Difference, types_of
from harness.hls.project.verify import LayerRow, Verdict
from harness.report.questions import answers

__all__ = ["SCHEMA", "as_json"]

#: Counts up when a key goes or changes its meaning; new keys may come any time.
SCHEMA = 1


def as_json(findings: Findings, command: str = "") -> str:
    """A JSON document: codes are integers, types are spelled as in C++; ``docs/hls.md`` has it.

    Args:
        findings: what was found.
        command: the command line that finds it again; may be left out.
    """
    cpp, model, advice = findings.cpp, findings.model, findings.advice
    losses = {} if model is None else {loss.name: loss for loss in model.layers}
    facts = {
        "schema": SCHEMA,
        "project": findings.name,
        "verdict": findings.verdict,
        "agrees": findings.agrees,
        "summary": findings.summary,
        "rows": findings.rows,
        "command": command,
        "questions": {
            a.key: {"question": a.question, "verdict": a.verdict, "text": a.text}
            for a in answers(findings)
        },
        "broken": list(findings.broken),
        "cpp": None if cpp is None else _of_cpp(cpp),
        "model": None if model is None else _of_model(model),
        "layers": [] if cpp is None else [_of_layer(x, losses.get(x.name)) for x in cpp.layers],
        "advice": None if advice is None else _of_advice(advice),
        "left": list(findings.left),
    }
    return json.dumps(facts, indent=2, allow_nan=False)


def _of_cpp(cpp: Verdict) -> dict[str, Any]:
    first = None if cpp.walk is None else cpp.walk.first
    return {
        "agrees": cpp.agrees,
        "codes": cpp.codes,
        "differences": cpp.differences,
        "layers_compared": cpp.walk is not None,
        "weights": list(cpp.weights),
        "first_difference": None if first is None else _of_difference(first),
    }


def _of_difference(first: Difference) -> dict[str, Any]:
    return {
        "layer": first.layer.name,
        "kind": type(first.layer).__name__,
        "row": first.row,
        "index": list(first.index),
        "got": _scalar(first.got),
        "expected": _scalar(first.expected),
        "inputs": [{"type": str(x.type), "codes": x.codes.tolist()} for x in first.inputs],
        "types": [
            {"name": name, "got": str(mine), "expected": str(theirs)}
            for name, mine, theirs in first.types
        ],
        "accumulator": first.steps,
        "reproducer": first.cpp,
    }


def _scalar(x: Fixed) -> dict[str, Any]:
    return {"code": int(x.codes), "value": float(x.values()), "type": str(x.type)}


def _of_model(model: Fidelity) -> dict[str, Any]:
    weights, inputs = model.before
    return {
        "reference": model.reference,
        "given": model.given,
        "keeps": model.keeps,
        "rows": model.rows,
        "max_flips": model.limits.flips,
        "max_rms_error": model.bound,
        "culprit": model.culprit or None,
        "why": model.why or None,
        "loss": _of_loss(model.loss),
        "weights": _of_loss(weights),
        "inputs": _of_loss(inputs),
    }


def _of_loss(loss: Loss) -> dict[str, Any]:
    return dataclasses.asdict(loss)


def _of_layer(row: LayerRow, loss: LayerLoss | None) -> dict[str, Any]:
    return {
        "name": row.name,
        "kernel": row.kernel,
        "kind": type(row.layer).__name__,
        "types": {name: str(t) for name, t in types_of(row.layer).items()},
        "codes": row.codes,
        "differences": row.differences,
        "loss": None if loss is None else _of_layer_loss(loss),
    }


def _of_layer_loss(loss: LayerLoss) -> dict[str, Any]:
    return {
        "error": _of_loss(loss.error),
        "signal": loss.signal,
        "wrapped": loss.wrapped,
        "saturated": loss.saturated,
        "lost": loss.lost,
        "distinct": loss.distinct,
        "so_far": _of_loss(loss.total),
        "reference": None if loss.reference is None else _of_loss(loss.reference),
        "spread": dataclasses.asdict(loss.spread),
    }


def _of_advice(advice: Advice) -> dict[str, Any]:
    return {
        "changes": [
            {
                "layer": change.layer,
                "why": change.why,
                "types": {
                    name: {k: v if isinstance(v, int) else str(v) for k, v in types.items()}
                    for name, types in change.types.items()
                },
                "config": change.config,
            }
            for change in advice.changes
        ],
        "before": _of_loss(advice.before.loss),
        "after": _of_loss(advice.after.loss),
        "config": advice.config,
    }
