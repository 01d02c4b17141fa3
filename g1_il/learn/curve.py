# SPDX-License-Identifier: Apache-2.0
"""The loss curve as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from g1_il.learn.training import CurvePoint


def plot_curve(curve: Sequence[CurvePoint], path: Path) -> None:
    """Draws training and held-out loss against epochs."""
    figure = Figure(figsize=(6.0, 4.0), dpi=110, layout='tight')
    axes = figure.subplots()
    epochs = [point.epoch for point in curve]
    axes.semilogy(epochs, [point.train for point in curve], label='training')
    axes.semilogy(epochs, [point.held_out for point in curve], label='held-out episodes')
    axes.set_xlabel('epoch')
    axes.set_ylabel('mean absolute error, normalised')
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path)
