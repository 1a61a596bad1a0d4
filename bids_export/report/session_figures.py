"""Pictures of one recording."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Patch

from bids_export.arrays import Floats
from bids_export.events import Event
from bids_export.report import style
from bids_export.report.facts import Contact, Facts, Point
from bids_export.report.measures import Measures
from bids_export.report.style import GRID, INK, OUT, PALE, Looks
from bids_export.timeline import BAD_GAP
from collector.quality import HOLD_S, WORDS
from protocol.study import OTHER

MAX_LABELS = 60  # clips that can carry a name beside each other
# marker, colour, inside, meaning: told apart in grey too
HAPPENED = {
    "alarm": ("^", OUT, OUT, "alarm"),
    "over": ("^", OUT, "white", "over again"),
    "operator": ("s", INK, INK, "operator"),
    "note": ("o", PALE, PALE, "note"),
}


def contact_over_time(facts: Facts, contact: Contact) -> Figure:
    """Draw the device's overall value with the rule's line, and every analysed sensor below it."""
    looks, rule = Looks(facts.emotions), facts.quality
    shown = [name for name in facts.quality.per_sensor if name in contact.sensors] or list(contact.sensors)
    fig = style.figure(3.4 + 0.19 * len(shown))
    top, low = fig.subplots(2, 1, sharex=True, height_ratios=(3.0, max(0.19 * len(shown), 0.4)))
    _clip_bands(top, facts, looks, text_at=2.0)
    contact = held(contact)
    top.step(contact.times, contact.overall, where="post", color=INK, linewidth=1.6)
    threshold = rule.threshold * 100
    top.axhline(threshold, color=OUT, linestyle="--", linewidth=1.6)
    outside = [Line2D([], [], color=INK, label=f"{WORDS[rule.metric]}, all sensors"), _line(f"rule: {threshold:g} %")]
    top.set(ylim=(0, 103), ylabel=f"{WORDS[rule.metric]} (%)")
    style.plain(top)
    style.legend(top, [*outside, *looks.patches()])
    image = np.array([contact.sensors[name] for name in shown]) if shown else np.zeros((0, 0))
    low.set_facecolor(GRID)  # where there is no reading
    if image.size:
        edges = np.append(contact.times, contact.times[-1] + 1e-3)
        mesh = low.pcolormesh(edges, np.arange(len(shown) + 1), image, cmap=style.SHARES, vmin=0, vmax=1, rasterized=True)
        fig.colorbar(mesh, ax=low, label="share of good contact", pad=0.01, aspect=30)
    low.set_yticks(np.arange(len(shown)) + 0.5, shown, fontsize=7)
    low.invert_yaxis()
    style.plain(low)
    style.seconds(low, facts.duration_s)
    return fig


def _line(label: str) -> Line2D:
    return Line2D([], [], color=OUT, linestyle="--", linewidth=1.6, label=label)


def held(contact: Contact) -> Contact:
    """Return readings that end where they no longer count: each holds until the next, but no longer than the rule lets it."""
    late = np.append(np.diff(contact.times) > HOLD_S, True)
    at, where = contact.times[late] + HOLD_S, np.flatnonzero(late) + 1
    return Contact(
        times=np.insert(contact.times, where, at),
        overall=np.insert(contact.overall, where, np.nan),
        sensors={label: np.insert(share, where, np.nan) for label, share in contact.sensors.items()},
    )


def _clip_bands(axes: Axes, facts: Facts, looks: Looks, *, text_at: float) -> None:
    """Shade the clips: colour, hatch and name."""
    for event in (clip.event for clip in facts.clips):
        look = looks.of(event.target)
        stop = event.onset + event.duration
        axes.axvspan(event.onset, stop, facecolor=style.tint(look.color), edgecolor=look.color, hatch=look.hatch, linewidth=0.4)
        if len(facts.clips) <= MAX_LABELS:
            axes.text(
                (event.onset + stop) / 2, text_at, look.name, rotation=90, ha="center", va="bottom", fontsize=8, color=INK,
                bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8}, clip_on=True,
            )  # fmt: skip


def contact_on_head(facts: Facts) -> Figure:
    """Draw every sensor where it sits, with its share of good contact."""
    shares, threshold = facts.quality.per_sensor, facts.quality.threshold
    fig = style.figure(6.6, 8.0)
    axes = fig.subplots()
    places = flattened(facts.where)
    radius = _dot_radius(list(places.values()))
    _head(axes)
    colors, norm = mpl.colormaps[style.SHARES], Normalize(0, 1)
    for label, (x, y) in places.items():
        share = shares.get(label)
        face = "white" if share is None else colors(norm(share))
        below = share is not None and share < threshold
        ring = {"edgecolor": OUT, "linewidth": 2.6} if below else {"edgecolor": PALE, "linewidth": 1.0}
        style_of_line = "-" if share is not None else ":"
        axes.add_patch(Circle((x, y), radius, facecolor=face, linestyle=style_of_line, zorder=3, **ring))
        ink = "white" if share is not None and share < 0.5 else INK
        value = "–" if share is None else f"{share:.0%}"
        axes.text(x, y, f"{label}\n{value}", ha="center", va="center", fontsize=8, color=ink, zorder=4, linespacing=1.0)
    handles = [
        Patch(facecolor="white", edgecolor=OUT, linewidth=2.6, label=f"below {threshold:.0%}"),
        Patch(facecolor="white", edgecolor=PALE, linestyle=":", label="not analysed, or not reported"),
    ]
    axes.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, -0.07), ncols=2, frameon=False, fontsize=9)
    fig.colorbar(ScalarMappable(norm, style.SHARES), ax=axes, label="mean share of good contact", shrink=0.7)
    return fig


def flattened(positions: Mapping[str, Point]) -> dict[str, tuple[float, float]]:
    """Lay sensors flat, as seen from above with the nose up: the angle from the top becomes the distance from the middle.

    Parameters
    ----------
    positions : mapping of str to (x, y, z)
        Right, front, up, in metres.

    Returns
    -------
    dict of str to (x, y)
        1 is the ring 90 degrees from the top.
    """
    if len(positions) < 4:
        return {name: (x / 0.095, y / 0.095) for name, (x, y, _) in positions.items()}
    points = np.array(list(positions.values()))
    # the sphere that fits best: |p|^2 = 2 p.c + (r^2 - |c|^2)
    solution = np.linalg.lstsq(np.column_stack([2 * points, np.ones(len(points))]), (points**2).sum(axis=1), rcond=None)[0]
    x, y, z = (points - solution[:3]).T
    distance = np.arctan2(np.hypot(x, y), z) / (np.pi / 2)
    angle = np.arctan2(y, x)
    flat = np.column_stack([distance * np.cos(angle), distance * np.sin(angle)])
    return {name: (float(a), float(b)) for name, (a, b) in zip(positions, flat, strict=True)}


def _dot_radius(places: Sequence[tuple[float, float]]) -> float:
    """Return a radius with which no two sensors overlap."""
    at = np.array(places).reshape(-1, 2)
    apart = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))[~np.eye(len(at), dtype=bool)]
    return float(np.clip(apart.min() * 0.48, 0.03, 0.13)) if len(apart) else 0.13


def _head(axes: Axes) -> None:
    axes.add_patch(Circle((0, 0), 1.0, fill=False, edgecolor=PALE, linewidth=1.5, zorder=1))
    axes.plot([-0.12, 0, 0.12], [0.993, 1.12, 0.993], color=PALE, linewidth=1.5, zorder=1)
    for side in (-1, 1):
        axes.add_patch(Circle((side * 1.03, 0), 0.08, fill=False, edgecolor=PALE, linewidth=1.5, zorder=0))
    axes.set(xlim=(-1.45, 1.45), ylim=(-1.25, 1.2), aspect="equal")
    axes.axis("off")


def timeline(facts: Facts) -> Figure:
    """Draw what happened when: baselines, clips, ratings, what else happened, video with faces, and gaps in the EEG."""
    looks = Looks(facts.emotions)
    lanes = ["baseline, sync", "clips", "ratings", "happened", "face video", "face found", "EEG gaps"]
    fig = style.figure(4.6)
    axes = fig.subplots()
    row = {name: len(lanes) - n for n, name in enumerate(lanes)}
    heights = {"clips": 0.92}
    for start, stop in facts.spans("pause"):
        axes.axvspan(start, stop, facecolor="#f3f3f3", edgecolor=PALE, hatch="..", linewidth=0, zorder=0)
    for name, at in row.items():
        half = heights.get(name, 0.6) / 2
        for span, look in _bars(facts, looks, name):
            axes.broken_barh([span], (at - half, 2 * half), **look)
    _name_clips(axes, facts, looks, row["clips"])
    _name_baselines(axes, facts, row["baseline, sync"])
    _happened(axes, facts, row["happened"])
    for film in facts.films:
        found = film.faces.found
        for mask, marker, color in ((found, "|", INK), (~found, "x", OUT)):
            axes.plot(film.faces.onsets[mask], np.full(mask.sum(), row["face found"]), marker, color=color, markersize=9)
    for span in _gaps(facts.events):
        axes.plot([span[0] + span[1] / 2], [row["EEG gaps"] + 0.02], "v", color=OUT, markersize=7)
        axes.axvspan(span[0], span[0] + span[1], color=OUT, alpha=0.35, linewidth=0)
    empty = {"face video": not facts.films, "face found": not facts.films, "EEG gaps": not _gaps(facts.events),
             "happened": not facts.happenings}  # fmt: skip
    for name in (name for name, nothing in empty.items() if nothing):
        axes.text(facts.duration_s * 0.004, row[name], "none", va="center", fontsize=9, color=PALE)
    axes.set_yticks(list(row.values()), list(row))
    axes.set_ylim(0.4, len(lanes) + 0.6)
    style.plain(axes)
    axes.tick_params(axis="y", length=0)
    style.seconds(axes, facts.duration_s)
    style.legend(axes, [*looks.patches(), *_timeline_signs(facts)], columns=6)
    return fig


def _timeline_signs(facts: Facts) -> list[Artist]:
    """Return what a legend has to say beside the emotions."""
    signs: list[Artist] = []
    if facts.spans("pause"):
        signs.append(Patch(facecolor="#f3f3f3", edgecolor=PALE, hatch="..", linewidth=0, label="pause"))
    present = {happening.kind for happening in facts.happenings}
    signs += [
        Line2D([], [], linestyle="", marker=m, color=c, markerfacecolor=face, markersize=8, label=label)
        for kind, (m, c, face, label) in HAPPENED.items()
        if kind in present
    ]
    if facts.films:
        signs += [Line2D([], [], linestyle="", marker="|", color=INK, markersize=9, label="a face in the sampled frame"),
                  Line2D([], [], linestyle="", marker="x", color=OUT, markersize=8, label="no face in it")]  # fmt: skip
    return signs


_STEPS = (6, -13, 14)  # points above and below a mark


def _happened(axes: Axes, facts: Facts, at: float) -> None:
    """Mark what happened with its number in the list below; numbers that would lie on each other step up and down."""
    last, step = -np.inf, 0
    for n, happening in enumerate(facts.happenings[:MAX_LABELS], 1):
        marker, color, face, _ = HAPPENED[happening.kind]
        axes.plot([happening.onset], [at - 0.12], marker, color=color, markerfacecolor=face, markersize=7, zorder=4)
        step = (step + 1) % len(_STEPS) if happening.onset - last < facts.duration_s * 0.02 else 0
        axes.annotate(
            str(n), (happening.onset, at - 0.12), xytext=(0, _STEPS[step]), textcoords="offset points", ha="center",
            fontsize=8, color=INK, zorder=5, annotation_clip=True,
        )  # fmt: skip
        last = happening.onset


def _name_baselines(axes: Axes, facts: Facts, at: float) -> None:
    for event in facts.events:
        word = {"baseline/eyes_open": "open", "baseline/eyes_closed": "closed"}.get(event.trial_type)
        if word and event.duration > facts.duration_s * 0.02:
            axes.text(event.onset + event.duration / 2, at, word, ha="center", va="center", fontsize=7.5, color=INK)


def _bars(facts: Facts, looks: Looks, lane: str) -> Iterable[tuple[tuple[float, float], dict[str, Any]]]:
    for event in facts.events:
        span = (event.onset, event.duration)
        if lane == "baseline, sync" and event.trial_type.startswith(("baseline/", "practice", "mood_repair", "break")):
            yield span, {"facecolor": GRID, "edgecolor": PALE}
        elif lane == "baseline, sync" and event.trial_type.startswith("sync/"):
            yield (event.onset, 0.0), {"facecolor": INK, "edgecolor": INK, "linewidth": 0.8}
        elif lane == "clips" and event.trial_type.startswith(("clip/", "rest/")):
            look = looks.of(event.target)
            done = event.end == "complete"
            face = style.tint(look.color) if done else "white"
            yield span, {"facecolor": face, "edgecolor": look.color, "hatch": look.hatch if done else ""}
        elif lane == "ratings" and event.trial_type == "rating":
            yield span, {"facecolor": PALE, "edgecolor": "white", "linewidth": 0.4}
    if lane == "face video":
        for film in facts.films:
            for span in _stretches(film.onsets):
                yield span, {"facecolor": GRID, "edgecolor": PALE}


def _name_clips(axes: Axes, facts: Facts, looks: Looks, at: float) -> None:
    if len(facts.clips) > MAX_LABELS:
        return
    for event in (clip.event for clip in facts.clips):
        axes.text(
            event.onset + event.duration / 2, at, looks.of(event.target).name, rotation=90, ha="center", va="center",
            fontsize=6.5, color=INK, clip_on=True, bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.5},
        )  # fmt: skip


def _stretches(onsets: Floats, hole_s: float = 0.5) -> list[tuple[float, float]]:
    """Return (start, length) of the stretches in which frames follow each other."""
    if not len(onsets):
        return []
    parts = np.split(onsets, np.flatnonzero(np.diff(onsets) > hole_s) + 1)
    return [(float(part[0]), float(np.ptp(part))) for part in parts]


def _gaps(events: Iterable[Event]) -> list[tuple[float, float]]:
    return [(event.onset, event.duration) for event in events if event.trial_type == BAD_GAP]


def ratings(facts: Facts, measures: Measures) -> Figure | None:
    """Draw what was felt: clips on the valence-arousal plane, and felt against meant; None when nobody was asked."""
    events = [clip.event for clip in facts.clips]
    on_plane = [e for e in events if e.valence is not None and e.arousal is not None]
    if not on_plane and not measures.ratings.n_asked:
        return None
    fig = style.figure(5.0)
    plane, table = fig.subplots(1, 2, width_ratios=(1, 1.15))
    _plane(plane, on_plane, Looks(facts.emotions))
    _felt(table, events, list(facts.emotions))
    return fig


def _plane(axes: Axes, events: Sequence[Event], looks: Looks) -> None:
    axes.axhline(5, color=GRID, linewidth=1)
    axes.axvline(5, color=GRID, linewidth=1)
    seen: dict[tuple[int | None, int | None], int] = {}
    for event in events:
        here = (event.valence, event.arousal)
        n = seen[here] = seen.get(here, -1) + 1  # clips with the same answers stand beside each other
        look = looks.of(event.target)
        x, y = (event.valence or 0) + 0.28 * (n % 3), (event.arousal or 0) + 0.28 * (n // 3)
        axes.plot([x], [y], look.marker, color=look.color, markeredgecolor=INK, markersize=10, alpha=0.9)
    axes.set(xlim=(0.5, 9.8), ylim=(0.5, 9.8), aspect="equal", xticks=range(1, 10), yticks=range(1, 10))
    axes.set(xlabel="valence: unpleasant (1) to pleasant (9)", ylabel="arousal: calm (1) to excited (9)")
    axes.set_title("each clip, marked by its target", fontsize=10, loc="left", pad=28)
    style.plain(axes)
    style.legend(axes, looks.markers(), columns=4)


def _felt(axes: Axes, events: Sequence[Event], emotions: Sequence[str]) -> None:
    columns = [*emotions, OTHER]
    counts = np.zeros((len(emotions), len(columns)), dtype=int)
    for event in events:
        if event.target in emotions and event.rating in columns:
            counts[emotions.index(event.target), columns.index(event.rating)] += 1
    style.counts(axes, counts, counts / max(1, counts.max()), top=1.2, rows=emotions, columns=columns)
    axes.set(xlabel="felt most, by the participant's answer", ylabel="target of the clip")
    axes.set_title("number of clips", fontsize=10, loc="left")
