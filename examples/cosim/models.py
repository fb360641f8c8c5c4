"""The same functions in Python: with the types of the hardware, and as one would write them."""

import math
from fractions import Fraction

import numpy as np

from harness import Fixed, quantize, quantize_codes

TAPS = np.array([-0.0625, 0.0, 0.28125, 0.5, 0.28125, 0.0, -0.0625, 0.001953125])


def fir(window):
    """Exact products, one rounding: float64 holds the sum of 26 bits."""
    return quantize((TAPS * window).sum(), "ap_fixed<14,4,AP_RND_CONV,AP_SAT>")


def fir_float(window):
    """What one writes first: it never rounds."""
    return (TAPS * window).sum()


ARCTANGENTS = quantize(np.arctan(2.0 ** -np.arange(12)).round(8), "ap_fixed<16,2>")


def cordic(angle):
    """Every variable has the type of the hardware, by its integers of 2**-14 and 2**-16."""
    angle_t, value_t = "ap_fixed<16,2>", "ap_fixed<18,2>"
    rest, x, y = (
        int(quantize_codes(angle, angle_t)),
        int(quantize_codes(0.60725293, value_t)),
        0,
    )
    for k, step in enumerate(quantize_codes(ARCTANGENTS, angle_t).tolist()):
        dx, dy = y >> k, x >> k
        if rest < 0:
            x, y, rest = wrapped(x + dx, 18), wrapped(y - dy, 18), wrapped(rest + step, 16)
        else:
            x, y, rest = wrapped(x - dx, 18), wrapped(y + dy, 18), wrapped(rest - step, 16)
    return x / 2**16, y / 2**16


def cordic_float(angle):
    """What it is meant to compute."""
    return math.cos(angle), math.sin(angle)


def wrapped(code, width):
    """An integer in as many bits, as AP_WRAP has it."""
    half = 1 << (width - 1)
    return (code + half) % (2 * half) - half


class Average:
    """A running average with the hardware's state."""

    def reset(self):
        self.state = Fixed.of(0, "ap_fixed<16,4,AP_RND>")

    def __call__(self, x):
        x = Fixed.of(x, "ap_fixed<12,4,AP_TRN,AP_SAT>")
        self.state += (x - self.state) >> 3
        return self.state.to("ap_fixed<12,4,AP_TRN,AP_SAT>").to_double()


class AverageFloat(Average):
    """Rounds the result alone."""

    def reset(self):
        self.state = 0.0

    def __call__(self, x):
        self.state += (x - self.state) / 8
        return quantize(self.state, "ap_fixed<12,4,AP_TRN,AP_SAT>")


PART = "ap_fixed<12,3,AP_RND,AP_SAT>"


def butterfly(stream, twiddle):
    """Each assignment rounds and saturates; products and sums are exact in float64."""
    a = stream.re[::2] + 1j * stream.im[::2]
    b = stream.re[1::2] + 1j * stream.im[1::2]
    t = b * (twiddle.re + 1j * twiddle.im)
    t = quantize(t.real, PART) + 1j * quantize(t.imag, PART)
    both = np.stack([a + t, a - t], axis=1).ravel()
    return {"re": quantize(both.real, PART), "im": quantize(both.imag, PART)}


def butterfly_float(stream, twiddle):
    """Rounds once, at the end."""
    a = stream.re[::2] + 1j * stream.im[::2]
    b = stream.re[1::2] + 1j * stream.im[1::2]
    t = b * (twiddle.re + 1j * twiddle.im)
    both = np.stack([a + t, a - t], axis=1).ravel()
    return {"re": quantize(both.real, PART), "im": quantize(both.imag, PART)}


class Pid:
    """A controller with the hardware's integral and slope."""

    def reset(self):
        self.integral = Fixed.of(0, "ap_fixed<14,6,AP_TRN,AP_SAT>")
        self.before = Fixed.of(0, "ap_fixed<12,4>")

    def __call__(self, error, gains):
        error = Fixed.of(error, "ap_fixed<12,4>")
        p, i, d = (Fixed.of(g, "ap_ufixed<8,2>") for g in gains)
        self.integral += error
        slope = (error - self.before).to("ap_fixed<13,5>")
        self.before = error
        drive = p * error + i * self.integral + d * slope
        return drive.to("ap_fixed<14,6,AP_RND,AP_SAT>").to_double()


class PidFloat(Pid):
    """The integral never saturates."""

    def reset(self):
        self.integral = self.before = Fraction(0)

    def __call__(self, error, gains):
        error = Fraction(float(error))
        self.integral += error
        slope, self.before = error - self.before, error
        drive = float(
            Fraction(float(gains.p)) * error
            + Fraction(float(gains.i)) * self.integral
            + Fraction(float(gains.d)) * slope
        )
        return quantize(drive, "ap_fixed<14,6,AP_RND,AP_SAT>")


def matvec(a, x):
    """The accumulator wraps after the sum as after each term."""
    return wrapped(a @ x, 12)


def matvec_float(a, x):
    """NumPy's integers do not wrap at 12 bits."""
    return a @ x
