"""Logistic regression for many examples and hundreds of columns, quick enough to be fitted 36 times a training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

_CONVERGED = 1e-9  # the largest step; the weights that ship are rounded to 1e-6
_MOST_STEPS = 300
_SLOW = 0.5  # a step that shrinks less than this against the last asks for a new curvature


def fit_logistic(design: Vector, y: Vector, weights: Vector, ridge: Vector, start: Vector | None = None) -> Vector:
    """Minimises the weighted logistic loss plus ``sum(ridge * b**2) / 2``; returns b (columns,).

    `design` (n, columns) with a column of ones for the intercept, `y` (n,) of 0 and 1, `ridge` (columns,) above 0.
    Newton's method whose curvature, the dear part, is kept as long as the steps shrink; the gradient is exact, so that
    the result does not depend on when it was renewed. ValueError when it does not settle.
    """
    b = np.zeros(design.shape[1]) if start is None else start.copy()
    inverse, last = None, np.inf
    for _ in range(_MOST_STEPS):
        p = 1 / (1 + np.exp(-np.clip(design @ b, -30, 30)))
        if inverse is None:
            inverse = _inverse_curvature(design, weights * p * (1 - p), ridge)
        step = inverse @ (design.T @ (weights * (p - y)) + ridge * b)
        b -= step
        size = float(np.abs(step).max())
        if size < _CONVERGED:
            return b
        if size > _SLOW * last:
            inverse = None
        last = size
    raise ValueError("The logistic regression of a word head did not settle.")


def _inverse_curvature(design: Vector, weights: Vector, ridge: Vector) -> Vector:
    """In single precision, which is enough for the direction of a step."""
    scaled = (design * np.sqrt(weights)[:, None]).astype(np.float32)
    return np.asarray(np.linalg.inv((scaled.T @ scaled).astype(np.float64) + np.diag(ridge)), np.float64)
