"""How far two results are apart, against a tolerance of the catalogue."""

from __future__ import annotations

from typing import Any

import numpy as np
from catalogue import Tol


def close(got: np.ndarray, want: np.ndarray, tol: Tol, what: str = "image") -> None:
    """Shape, dtype and values."""
    assert got.shape == want.shape, f"{what}: shape {got.shape}, expected {want.shape}"
    assert got.dtype == want.dtype, f"{what}: dtype {got.dtype}, expected {want.dtype}"
    if got.dtype.kind == "b" or got.size == 0:
        assert np.array_equal(got, want) or np.mean(got != want) <= tol.over, f"{what}: values differ"
        return
    if got.dtype.kind == "f":
        assert np.isfinite(got).all() == np.isfinite(want).all(), f"{what}: finiteness differs"
    apart = np.abs(got.astype(np.float64) - want.astype(np.float64))
    limit = tol.f32 if got.dtype.kind == "f" else tol.u8
    over = float(np.mean(apart > limit))
    worst = np.unravel_index(int(apart.argmax()), apart.shape)
    assert over <= tol.over, (
        f"{what}: {over:.4%} of {apart.size} differ by more than {limit} (allowed {tol.over:.4%}: {tol.why}); worst "
        f"{apart.max():.3g} at {tuple(map(int, worst))}: got {got[worst]}, expected {want[worst]}"
    )
    if got.dtype.kind != "f":
        share = float(np.mean(apart > 0))
        assert share <= tol.share, f"{what}: {share:.3%} differ at all, allowed {tol.share:.3%}: {tol.why}"


def same_rows(got: Any, want: Any, tol: np.ndarray | float, what: str, period: dict[int, float] | None = None) -> None:
    """Rows of boxes or points, in any order; the last column names the source row. `period`: columns that wrap."""
    a = np.asarray(got, np.float64)
    b = np.asarray(want, np.float64)
    if a.size == 0 and b.size == 0:
        return
    assert a.shape == b.shape, f"{what}: {len(a)} rows {a.tolist()}, expected {len(b)}: {b.tolist()}"
    left = list(range(len(b)))
    for row in a:
        apart = np.abs(b[left] - row)
        for column, turn in (period or {}).items():
            apart[:, column] = np.minimum(apart[:, column] % turn, turn - apart[:, column] % turn)
        fits = (apart <= tol).all(axis=1)
        assert fits.any(), (
            f"{what}: no partner for {row.tolist()} among {b[left].tolist()} (tolerance {np.asarray(tol).tolist()})"
        )
        left.pop(int(fits.argmax()))
