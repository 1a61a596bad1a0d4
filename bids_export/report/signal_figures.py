"""Pictures of the signals: spectra, alpha with closed eyes against open, blinks on cue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bids_export.arrays import Floats
from bids_export.report import bands, cued, signals, style
from bids_export.report.facts import Facts, Signals
from bids_export.report.measures import Alpha, EegMeasures, cues
from bids_export.report.style import INK, KEPT, OUT, PALE

TOP_HZ = 100.0
STRAY_DB = 6.0  # a channel this far from the others is named


def spectra(facts: Facts, eeg: Signals, measured: EegMeasures) -> Figure:
    """Draw the spectrum of every analysed channel, their median, the mains, and where the headset's filter begins."""
    picks = [eeg.labels.index(label) for label in eeg.analysed]
    freqs, density = signals.spectra(eeg.volts[picks], eeg.sfreq, eeg.filled)
    shown = (freqs >= 1) & (freqs <= min(TOP_HZ, eeg.sfreq / 2))
    with np.errstate(divide="ignore"):
        level = 10 * np.log10(np.maximum(density[:, shown], 1e-6))
    middle = np.median(level, axis=0)
    fig = style.figure(4.2)
    axes = fig.subplots()
    axes.plot(freqs[shown], level.T, color=PALE, linewidth=0.6, alpha=0.55)
    axes.plot(freqs[shown], middle, color=INK, linewidth=2)
    handles: list[Artist] = [Line2D([], [], color=PALE, linewidth=0.8, label="each analysed channel"),
               Line2D([], [], color=INK, linewidth=2, label="median")]  # fmt: skip
    if facts.line_freq and facts.line_freq <= freqs[shown][-1]:
        axes.axvline(facts.line_freq, color=OUT, linestyle="--", linewidth=1.4, zorder=0)
        handles.append(Line2D([], [], color=OUT, linestyle="--", linewidth=1.4, label=f"mains, {facts.line_freq:g} Hz"))
    if measured.gamma_share is not None:
        handles.append(Patch(facecolor="#f1f4f7", edgecolor=PALE, label="31 to 51 Hz"))
    _gamma(axes, measured)
    axes.set(xlabel="frequency (Hz)", ylabel="power (dB re 1 µV²/Hz)", xlim=(1, freqs[shown][-1]))
    style.plain(axes, grid="y")
    _name_strays(axes, [eeg.labels[n] for n in picks], level, middle, float(freqs[shown][-1]))
    style.legend(axes, handles)
    return fig


def _name_strays(axes: Axes, labels: Sequence[str], level: Floats, middle: Floats, right: float) -> None:
    """Name the channels that lie apart from the others, at their right end."""
    apart = np.median(np.abs(level - middle), axis=1)
    strays = [int(n) for n in np.argsort(-apart)[:3] if apart[n] > STRAY_DB]
    for n in strays:
        axes.annotate(labels[n], (right, level[n, -1]), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9)


def _gamma(axes: Axes, measured: EegMeasures) -> None:
    """Shade 31 to 51 Hz and say whether it holds signal."""
    if measured.gamma_share is None:
        return
    low, high = bands.GAMMA_HZ
    axes.axvspan(low, high, facecolor="#f1f4f7", edgecolor=PALE, linewidth=0.6, zorder=-1)
    text = f"{measured.gamma_share:.0%} of it\nholds signal"
    if measured.edge_hz is not None:
        axes.axvline(measured.edge_hz, color=INK, linestyle=":", linewidth=1.4)
        text += f"\nfiltered from {measured.edge_hz:.0f} Hz"
    axes.text(
        (low + high) / 2, 0.97, text, transform=axes.get_xaxis_transform(), ha="center", va="top", fontsize=8.5, color=INK
    )  # fmt: skip


def alpha(facts: Facts, eeg: Signals, measured: Alpha, ratios: Mapping[str, float]) -> Figure:
    """Draw the spectrum over the back of the head with open and with closed eyes, and the ratio of alpha in each channel."""
    picks = [eeg.labels.index(label) for label in measured.channels]
    fig = style.figure(3.6)
    left, right = fig.subplots(1, 2, width_ratios=(1.5, 1))
    for name, color, line in (("eyes_open", PALE, "--"), ("eyes_closed", KEPT, "-")):
        outside = bands.within(eeg.volts.shape[1], eeg.sfreq, facts.spans(f"baseline/{name}"), settle_s=bands.SETTLE_S)
        freqs, density = signals.spectra(eeg.volts[picks], eeg.sfreq, [*eeg.filled, *outside])
        shown = (freqs >= 2) & (freqs <= 30)
        left.plot(
            freqs[shown], np.median(density, axis=0)[shown], line, color=color, linewidth=2.2, label=name.replace("_", " ")
        )
    left.axvspan(*bands.ALPHA_HZ, color="#f1f4f7", zorder=-1)
    left.text(np.mean(bands.ALPHA_HZ), 0.03, "alpha", transform=left.get_xaxis_transform(), ha="center", fontsize=9)
    left.set(xlabel="frequency (Hz)", ylabel="power (µV²/Hz)", xlim=(2, 30), yscale="log")
    style.plain(left, grid="y")
    left.legend(frameon=False, fontsize=9, loc="upper right")
    _ratios(right, ratios, measured)
    return fig


def _ratios(axes: Axes, ratios: Mapping[str, float], measured: Alpha) -> None:
    labels, ratio = list(measured.channels), np.array([ratios[label] for label in measured.channels])
    order = np.argsort(ratio)
    axes.plot(ratio[order], range(len(labels)), "o", color=KEPT, markeredgecolor=INK, markersize=7)
    axes.axvline(1, color=OUT, linestyle="--", linewidth=1.4)
    axes.axvline(measured.ratio, color=INK, linewidth=1.4)
    axes.set_yticks(range(len(labels)), [labels[n] for n in order], fontsize=8)
    axes.set(xlabel="alpha, closed over open eyes", xlim=(0, max(2.0, float(ratio.max()) * 1.1)))
    axes.set_title(f"median {measured.ratio:.1f}; dashed: no difference", fontsize=9, loc="left")
    style.plain(axes, grid="x")


def blinks(facts: Facts, eeg: Signals) -> Figure | None:
    """Draw frontal EEG around every cue to blink, the answered ones on top of each other; None without cues."""
    found = cued.blinks(eeg, cues(facts))
    if found is None:
        return None
    seen = np.isfinite(found.answers_s)
    fig = style.figure(3.2)
    left, right = fig.subplots(1, 2, width_ratios=(1.5, 1))
    for answered, trace in zip(seen.tolist(), found.uv, strict=True):
        look = {"color": KEPT, "alpha": 0.35} if answered else {"color": OUT, "alpha": 0.9, "linestyle": ":"}
        left.plot(found.times, trace, linewidth=1.0, **look)
    if seen.any():
        left.plot(found.times, np.nanmedian(found.uv[seen], axis=0), color=INK, linewidth=2.2)
    left.axvline(0, color=INK, linestyle="--", linewidth=1.2)
    left.set(xlabel="seconds from the cue", ylabel=f"{', '.join(found.channels)} (µV)", xlim=cued.AROUND_S)
    left.set_ylim(*_reach(found.uv))
    style.plain(left, grid="y")
    style.legend(left, [
        Line2D([], [], color=KEPT, alpha=0.6, label="answered"),
        Line2D([], [], color=OUT, linestyle=":", label="not answered"),
        Line2D([], [], color=INK, linewidth=2.2, label="median")])  # fmt: skip
    numbers = np.arange(1, len(seen) + 1)
    right.plot(numbers[seen], found.answers_s[seen], "o", color=KEPT, markeredgecolor=INK, markersize=7)
    right.plot(numbers[~seen], np.zeros((~seen).sum()), "x", color=OUT, markersize=8)
    right.set(xlabel="cue", ylabel="blink after (s)", ylim=(-0.1, cued.ANSWER_S[1]), xlim=(0, len(seen) + 1))
    style.plain(right, grid="y")
    return fig


def _reach(uv: Floats) -> tuple[float, float]:
    """Return limits that hold nearly everything: one loose electrode must not flatten the blinks."""
    told = uv[np.isfinite(uv)]
    if not len(told):
        return -1.0, 1.0
    low, high = np.quantile(told, (0.01, 0.995))
    pad = 0.25 * max(high - low, 1.0)
    return float(low - pad), float(high + pad)
