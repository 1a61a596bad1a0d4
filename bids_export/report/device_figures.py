"""Pictures of the devices: the face and the camera, the screen, and how late they are against one another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bids_export.report import style
from bids_export.report.facts import Clip, Facts
from bids_export.report.measures import LATE_FRAMES, Sync
from bids_export.report.style import GRID, INK, KEPT, OUT, PALE
from bids_export.report.verdict import BRIGHT, DARK

_LEGS = {"screen-camera": "screen to camera", "camera-eeg": "camera to EEG", "screen-eeg": "screen to EEG"}
MAX_BARS = 60  # clips with a place of their own on an axis


def camera(facts: Facts) -> Figure:
    """Draw how bright the face was, and how long each frame took."""
    fig = style.figure(4.4)
    top, low = fig.subplots(2, 1, sharex=True)
    top.axhspan(0, DARK, facecolor="#f6ece6", hatch="...", edgecolor=GRID, linewidth=0)
    top.axhspan(BRIGHT, 255, facecolor="#f6ece6", hatch="...", edgecolor=GRID, linewidth=0)
    for film in facts.films:
        seen = film.faces
        if len(seen.brightness):
            top.plot(seen.onsets, seen.brightness, color=PALE, linewidth=1.2, zorder=2)
            for mask, marker, color in ((seen.found, "o", KEPT), (~seen.found, "x", OUT)):
                top.plot(seen.onsets[mask], seen.brightness[mask], marker, color=color, markersize=5, zorder=3)
        steps = np.diff(film.onsets) * 1e3
        if len(steps):
            _intervals(low, film.onsets[1:], steps)
    top.set(ylim=(0, 255), ylabel="grey level (0 to 255)")
    top.set_title("brightness of the face; dotted bands: too dark, too bright", fontsize=9, loc="left")
    low.set_title(
        "time from each frame to the next; a cross is a late frame, or a missing one before it", fontsize=9, loc="left"
    )
    low.set(ylabel="interval (ms)", yscale="log")
    each = [np.diff(film.onsets) * 1e3 for film in facts.films if len(film.onsets) > 1]
    if each:
        middle, longest = float(np.median(np.concatenate(each))), max(float(s.max()) for s in each)
        ticks = [
            t for t in (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000) if middle / 3 <= t <= max(4 * middle, longest)
        ]
        low.set_ylim(middle / 3, max(4 * middle, 1.5 * longest))
        low.set_yticks(ticks, [str(t) for t in ticks])
        low.minorticks_off()
    for axes in (top, low):
        style.plain(axes, grid="y")
    style.seconds(low, facts.duration_s)
    return fig


def _intervals(axes: Axes, onsets: np.ndarray, steps: np.ndarray) -> None:
    middle = float(np.median(steps))
    late = steps > LATE_FRAMES * middle
    axes.plot(onsets[~late], steps[~late], ".", color=PALE, markersize=2, rasterized=True)
    axes.plot(onsets[late], steps[late], "x", color=OUT, markersize=7)
    axes.axhline(middle, color=INK, linewidth=1)
    axes.annotate(
        f"{1e3 / middle:.1f} frames a second", (1, middle), xycoords=("axes fraction", "data"), xytext=(-4, 5),
        textcoords="offset points", ha="right", fontsize=9,
    )  # fmt: skip


def screen(clips: Sequence[Clip]) -> Figure | None:
    """Draw how far each clip's first frame lay from its marker, and what became of its frames; None when nobody knows."""
    shown = [clip for clip in clips if clip.event.frames_shown is not None]
    if not shown:
        return None
    fig = style.figure(3.4)
    left, right = fig.subplots(1, 2, width_ratios=(1, 1))
    numbers = np.arange(1, len(shown) + 1)
    for name, marker, color in (("onset_error_s", "o", KEPT), ("audio_offset_s", "^", OUT)):
        values = np.array([np.nan if getattr(c, name) is None else getattr(c, name) * 1e3 for c in shown])
        left.plot(numbers, values, marker, color=color, markeredgecolor=INK, markersize=7)
    left.axhline(0, color=INK, linewidth=1)
    left.set(ylabel="ms", xlim=(0, len(shown) + 1))
    left.margins(y=0.25)
    told = [c.onset_error_s for c in shown if c.onset_error_s is not None]
    if not told:
        left.text(0.5, 0.6, "the dataset does not say", transform=left.transAxes, ha="center", color=PALE)
    style.legend(left, [
        Line2D([], [], linestyle="", marker="o", color=KEPT, markeredgecolor=INK, label="first frame against its marker"),
        Line2D([], [], linestyle="", marker="^", color=OUT, markeredgecolor=INK, label="sound against picture")],
        columns=2)  # fmt: skip
    parts = (
        ("shown", [c.event.frames_shown or 0 for c in shown], style.tint(KEPT, 0.5), KEPT, ""),
        ("came too late, dropped", [c.event.frames_dropped or 0 for c in shown], style.tint(OUT), OUT, "///"),
    )
    floor = np.zeros(len(shown))
    for label, counts, face, edge, hatch in parts:
        right.bar(numbers, counts, bottom=floor, facecolor=face, edgecolor=edge, hatch=hatch, label=label, width=0.8)
        floor += counts
    right.set(ylabel="frames", ylim=(0, 1.1 * float(floor.max(initial=1.0))))
    style.legend(right, right.get_legend_handles_labels()[0], columns=2)
    for axes in (left, right):
        if len(shown) <= MAX_BARS:
            axes.set_xticks(numbers, [str(c.event.trial or "–") for c in shown], fontsize=8)
        axes.set_xlabel("trial, in the order shown")
        style.plain(axes, grid="y")
    return fig


def sync(legs: Sequence[Sync]) -> Figure:
    """Draw each leg's delay with its 95 % interval: a full diamond shifts the dataset, a hollow one is only told."""
    fig = style.figure(2.5)
    axes = fig.subplots()
    rows = list(range(len(legs)))[::-1]
    for row, leg in zip(rows, legs, strict=True):
        if leg.delay_s is None:
            axes.text(
                0.01,
                row,
                f"not estimable: {leg.reason}",
                transform=axes.get_yaxis_transform(),
                va="center",
                fontsize=9,
                color=OUT,
            )
            continue
        low, high = leg.interval95_s or (leg.delay_s, leg.delay_s)
        axes.plot([low * 1e3, high * 1e3], [row, row], color=KEPT, linewidth=5, alpha=0.45, solid_capstyle="butt")
        inside = KEPT if leg.applied else "white"
        axes.plot([leg.delay_s * 1e3], [row], "D", color=KEPT, markerfacecolor=inside, markersize=8, zorder=3)
        drift = "" if leg.drift_ppm is None else f", drift {leg.drift_ppm:+.0f} ppm"
        text = f"{leg.delay_s * 1e3:.1f} ms  [{low * 1e3:.1f}, {high * 1e3:.1f}]{drift}, {leg.n_used} of {leg.n_events} events"
        axes.annotate(text, (high * 1e3, row), xytext=(10, 0), textcoords="offset points", va="center", fontsize=9)
    ends = [v * 1e3 for leg in legs for v in leg.interval95_s or ()]
    axes.axvline(0, color=INK, linewidth=1)
    reach = max([abs(v) for v in ends] or [100.0])
    axes.set(xlim=(min([*ends, 0.0]) - 0.1 * reach, reach * 2.1), ylim=(-0.6, len(legs) - 0.4), xlabel="later by (ms)")
    axes.set_yticks(rows, [_LEGS.get(leg.leg, leg.leg) for leg in legs])
    style.plain(axes, grid="x")
    style.legend(axes, [
        Line2D([], [], linestyle="", marker="D", color=KEPT, label="shifts the dataset"),
        Line2D([], [], linestyle="", marker="D", color=KEPT, markerfacecolor="white", label="told, shifts nothing"),
        Line2D([], [], color=KEPT, linewidth=5, alpha=0.45, label="95 % interval")])  # fmt: skip
    return fig
