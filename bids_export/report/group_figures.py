"""Pictures of a group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bids_export.report import style
from bids_export.report.group import Group, Person
from bids_export.report.scores import Score
from bids_export.report.style import GRID, INK, KEPT, OUT, PALE, UNSURE

# shape and colour: told apart in grey too
STATES = {"kept": ("o", KEPT), "left out": ("X", OUT), "not judged": ("^", UNSURE)}


def who_is_in(group: Group) -> Figure:
    """Draw the contact quality of every participant with the rule's line; whom it leaves out is an X."""
    people = sorted(group.people, key=lambda p: (p.quality is not None, p.quality or 0.0, p.label))
    fig = style.figure(1.3 + 0.26 * len(people))
    axes = fig.subplots()
    threshold = group.rule.threshold * 100
    for row, person in enumerate(people):
        marker, color = STATES[person.state]
        value = 0.0 if person.quality is None else person.quality * 100
        axes.plot([0, value], [row, row], color=GRID, linewidth=1, zorder=1)
        axes.plot([value], [row], marker, color=color, markeredgecolor=INK, markersize=9, zorder=3, clip_on=False)
        axes.annotate(
            _beside(person), (value, row), xytext=(9, 0), textcoords="offset points", va="center", fontsize=8.5, color=INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6}, zorder=2.5,
        )  # fmt: skip
    axes.axvline(threshold, color=OUT, linestyle="--", linewidth=1.6, zorder=2)
    axes.set_yticks(range(len(people)), [f"sub-{p.label}" for p in people])
    axes.set(xlim=(0, 112), ylim=(-0.7, len(people) - 0.3), xlabel=f"{group.rule.metric} over the {group.rule.over} (%)")
    axes.set_xticks(range(0, 101, 20))
    style.plain(axes)
    present = {person.state for person in people}
    handles = [
        Line2D([], [], linestyle="", marker=marker, color=color, markeredgecolor=INK, markersize=9, label=name)
        for name, (marker, color) in STATES.items()
        if name in present
    ]
    line = Line2D([], [], color=OUT, linestyle="--", linewidth=1.6, label=f"rule: at least {threshold:g} %")
    style.legend(axes, [*handles, line])
    return fig


def _beside(person: Person) -> str:
    """Return what stands beside a participant's point: the value, and a reason that the line does not show."""
    if person.quality is None:
        return person.reason or "not judged"
    of_rule = person.included or "below" in person.reason
    return f"{person.quality:.1%}{'' if of_rule else f', {person.reason}'}"


def bias(by: Mapping[str, Mapping[str, tuple[int, int]]]) -> Figure:
    """Draw who is left out by sex, hair and cap size: ``{trait: {value: (kept, recorded)}}``."""
    rows = sum(len(values) for values in by.values())
    fig = style.figure(0.9 + 0.42 * rows + 0.3 * len(by), 8.5)
    all_axes = fig.subplots(len(by), 1, squeeze=False, sharex=True, height_ratios=[len(v) for v in by.values()])[:, 0]
    for axes, (trait, values) in zip(all_axes, by.items(), strict=True):
        for row, (kept, n) in enumerate(values.values()):
            axes.barh(row, kept, color=KEPT, edgecolor=INK, height=0.62)
            axes.barh(row, n - kept, left=kept, color=style.tint(OUT), edgecolor=OUT, hatch="///", height=0.62)
            axes.annotate(
                f"{kept} of {n} kept ({kept / n:.0%})", (n, row), xytext=(6, 0), textcoords="offset points", va="center",
                fontsize=9,
            )  # fmt: skip
        axes.set_yticks(range(len(values)), list(values))
        axes.set_ylabel(trait, rotation=0, ha="right", va="center")
        axes.invert_yaxis()
        style.plain(axes)
    widest = max(n for values in by.values() for _, n in values.values())
    all_axes[-1].set(xlim=(0, widest * 1.35), xlabel="participants")
    handles = [Patch(facecolor=KEPT, edgecolor=INK, label="kept"),
               Patch(facecolor=style.tint(OUT), edgecolor=OUT, hatch="///", label="left out")]  # fmt: skip
    style.legend(all_axes[0], handles)
    return fig


def accuracies(scores: Sequence[Score]) -> Figure:
    """Draw accuracy with its interval beside chance, one panel a split, two beside each other; leaky ones are hollow."""
    splits = list(dict.fromkeys((score.split, score.leaky) for score in scores))
    lanes = list(dict.fromkeys(score.lane for score in scores))
    n_rows = -(-len(splits) // 2)
    fig = style.figure(0.6 + n_rows * (1.1 + 0.42 * len(lanes)))
    panels = fig.subplots(n_rows, min(2, len(splits)), squeeze=False, sharey=True).ravel()
    for axes in panels[len(splits) :]:
        axes.remove()
    for axes, (split, leaky) in zip(panels, splits, strict=False):
        for score in (s for s in scores if s.split == split):
            _score(axes, score, lanes.index(score.lane))
        axes.set_title(f"{split}{'  (leaky: too good)' if leaky else ''}", loc="left", fontsize=10)
        axes.set(xlim=(0, 1), xlabel="accuracy", ylim=(len(lanes) - 0.4, -0.6))
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
        axes.set_yticks(range(len(lanes)), lanes)
        style.plain(axes, grid="x")
    fig.legend(handles=_legend(scores), loc="outside upper left", ncols=4, frameon=False, fontsize=9)
    return fig


def _score(axes: Axes, score: Score, row: int) -> None:
    color = PALE if score.leaky else KEPT
    if score.ci_low is not None and score.ci_high is not None:
        axes.plot([score.ci_low, score.ci_high], [row, row], color=color, linewidth=2.4, linestyle=":" if score.leaky else "-")
    axes.plot([score.chance] * 2, [row - 0.32, row + 0.32], color=OUT, linewidth=2.2)
    face = "white" if score.leaky else color
    axes.plot([score.accuracy], [row], "o", color=color, markerfacecolor=face, markersize=8, zorder=3)
    side = (9, "left") if score.accuracy < 0.85 else (-9, "right")
    axes.annotate(
        f"{score.accuracy:.0%}", (score.accuracy, row), xytext=(side[0], 8), textcoords="offset points", ha=side[1],
        va="center", fontsize=9,
    )  # fmt: skip


def _legend(scores: Sequence[Score]) -> list[Line2D]:
    handles = [Line2D([], [], color=OUT, linewidth=2.2, label="chance (the most frequent label)")]
    if any(not s.leaky for s in scores):
        handles.append(Line2D([], [], color=KEPT, marker="o", linewidth=2.4, label="honest split, 95 % over participants"))
    if any(s.leaky for s in scores):
        handles.append(
            Line2D([], [], color=PALE, marker="o", markerfacecolor="white", linestyle=":", linewidth=2.4, label="leaky split")
        )  # fmt: skip
    return handles
