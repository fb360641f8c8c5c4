"""The three questions that a project is asked, each with its answer in a word and in a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from harness.hls.check import Advice, Fidelity, Findings, Loss

__all__ = ["Answer", "answers", "lost", "suggested"]

CPP = "Is the C++ what its types say?"
MODEL = "Is it my model?"
ADVICE = "What should I change?"


@dataclass(frozen=True)
class Answer:
    """The answer to one question.

    Attributes:
        key: the question in a word: ``cpp``, ``model`` or ``advice``.
        question: the question.
        verdict: the answer in a word, or two.
        text: the answer in a sentence.
        mood: ``good``, ``bad``, ``warn`` or ``none``; ``bad`` if it alone makes the verdict.
    """

    key: str
    question: str
    verdict: str
    text: str
    mood: str


def answers(findings: Findings) -> tuple[Answer, Answer, Answer]:
    """What was found of each question."""
    return _of_cpp(findings), _of_model(findings), _of_advice(findings)


def lost(loss: Loss, rows: int) -> str:
    """How far outputs are from what they should be."""
    return (
        f"{loss.flips:,} of {rows:,} decisions flip, "
        f"rms error {loss.rms_error:.3g}, max error {loss.max_error:.3g}"
    )


def suggested(advice: Advice) -> list[str]:
    """The changes and what they bring, a sentence each."""
    if not advice.changes:
        return ["nothing needs to change" if advice.before.keeps else "no change was found"]
    now, then = advice.before.loss, advice.after.loss
    return [
        *(f"suggested for {change.layer}, for {change.why}" for change in advice.changes),
        f"with these changes {then.flips:,} of {advice.after.rows:,} decisions flip instead of "
        f"{now.flips:,}, rms error {then.rms_error:.3g} instead of {now.rms_error:.3g}",
    ]


def _of_cpp(findings: Findings) -> Answer:
    cpp = findings.cpp
    if findings.broken:
        return Answer("cpp", CPP, "BROKEN", "; ".join(findings.broken), "bad")
    assert cpp is not None
    if cpp.agrees:
        compared = sum(row.codes is not None for row in cpp.layers)
        after = f" after each of {compared} layers" if cpp.walk else ""
        text = f"the same{after}: {cpp.codes:,} output codes, {cpp.rows:,} rows"
        return Answer("cpp", CPP, "AGREE", text, "good")
    return Answer("cpp", CPP, "DIFFER", cpp.summary.partition(f"{cpp.name}, ")[2], "bad")


def _of_model(findings: Findings) -> Answer:
    model = findings.model
    if model is None:
        return Answer("model", MODEL, "NOT RUN", "there is nothing to run", "none")
    text = f"against {model.reference}: {lost(model.loss, model.rows)}"
    if not model.given:
        text += "" if model.keeps else f"; loses most in {model.culprit}: {model.why}"
        mood = "none" if model.keeps else "warn"
        return Answer("model", MODEL, "NOT ASKED", f"give --reference; {text}", mood)
    if model.keeps:
        return Answer("model", MODEL, "KEEPS", f"{text}; {_allowed(model)}", "good")
    text = f"{model.culprit}: {model.why}; {text}; {_allowed(model)}"
    return Answer("model", MODEL, "LOSES", text, "bad")


def _allowed(model: Fidelity) -> str:
    share = 100 * model.limits.flips
    return f"{share:.3g} % of the decisions and an rms error of {model.bound:.3g} are allowed"


def _of_advice(findings: Findings) -> Answer:
    advice = findings.advice
    if advice is None:
        why = "there is nothing to run" if findings.model is None else "ask with --suggest"
        return Answer("advice", ADVICE, "NOT ASKED", why, "none")
    text = "; ".join(suggested(advice))
    if not advice.changes:
        good = advice.before.keeps
        return Answer(
            "advice", ADVICE, *(("NOTHING", text, "good") if good else ("NOT FOUND", text, "warn"))
        )
    count = len(advice.changes)
    return Answer("advice", ADVICE, f"{count} CHANGE{'S' * (count > 1)}", text, "warn")
