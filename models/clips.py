"""A page like the paper's Figure 7: for each clip the face, what each recogniser said over time, the label, target and rating.

It shows faces, so it is made only where the dataset holds their videos and the person agreed to it, one picture file for each
recording, named after the participant: whoever withdraws takes the file along.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from models.bids import RecordingFiles
from models.face import crops, detect, video
from models.face.crops import FaceData
from models.fusion import NO_LABEL, Floats, decide
from models.labels import Predictions, by_clip

FOLDER = "clips"  # in the folder of figures
DPI = 100
COLOURS = {"happiness": "#e0a100", "sadness": "#3b6fb6", "fear": "#8e44ad", "neutral": "#9a9a9a"}
MORE = ("#2e8b57", "#c0392b", "#17a2b8", "#7f5539", "#d35fb7", "#566573")  # of other emotions, in turn
SHOWN = {"face": "by the face", "eeg": "by the EEG", "fusion": "fused"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Clip:
    """One clip as it is drawn.

    Parameters
    ----------
    title : str
        What it was, and what was said of it.
    face : ndarray of uint8, shape (112, 112, 3), or None
        RGB, from its middle.
    since_s : ndarray, shape (n_windows + 1,)
        Edges of the windows, seconds since the first one's start.
    p : mapping of str to ndarray, shape (n_windows, n_classes)
        Probabilities by modality; NaN where missing.
    """

    title: str
    face: NDArray[np.uint8] | None
    since_s: Floats
    p: Mapping[str, Floats]


def write(
    out: Path,
    recordings: Sequence[RecordingFiles],
    predictions: Predictions,
    faces: FaceData,
    *,
    detector: str = "haar",
    abstain_below: float = 0.0,
    progress: crops.Progress = lambda done, total: None,
) -> list[Path]:
    """Draw the clips of every recording whose faces may be shown, and a page that links the pictures.

    Parameters
    ----------
    out : Path
        Folder of the derivative.
    recordings : sequence of RecordingFiles
        Where the windows come from.
    predictions : Predictions
        Of all windows.
    faces : FaceData
        In the same order.
    detector : str
        As for the features.
    abstain_below : float
        As for the tables.
    progress : callable
        Told how many recordings of how many are drawn.

    Returns
    -------
    list of Path
        The page and its pictures; empty where no face may be shown. Those of an earlier run are removed.
    """
    folder, page = out / "figures" / FOLDER, out / "clips.html"
    for old in (page, *sorted(folder.glob("sub-*.png"))):
        old.unlink(missing_ok=True)
    made = []
    for done, files in enumerate(recordings, start=1):
        who = (files.participant, files.session, files.run)
        rows = [
            row
            for row, window in enumerate(predictions.windows)
            if (window.participant, window.session, window.run) == who and predictions.fold[row]
        ]
        if rows and "face" in files.scopes and video.videos(files):
            clips = _clips(files, predictions.of(rows), faces.found[rows], faces.frame_s[rows], detector, abstain_below)
            made.append(draw(folder / f"{files.stem}_clips.png", clips, predictions.emotions, title=files.stem))
        progress(done, len(recordings))
    if not made:
        return []
    images = "\n".join(f'<p><img alt="{escape(path.stem)}" src="{path.relative_to(out).as_posix()}"></p>' for path in made)
    text = (
        "<!DOCTYPE html>\n<html lang=en><meta charset=utf-8><title>Clips</title>\n"
        "<style>body{font:15px sans-serif;margin:2em}img{max-width:100%}</style>\n<h1>Clip by clip</h1>\n"
        "<p>As Figure 7 of Le &amp; Nguyen (2025). Each prediction is of recognisers that did not learn from the clip, unless "
        "the tables of labels say otherwise. These pictures show people: they stay in the laboratory.</p>\n"
    )
    page.write_text(f"{text}{images}\n</html>\n", encoding="utf-8", newline="\n")
    return [page, *made]


def _clips(
    files: RecordingFiles, mine: Predictions, found: NDArray[np.bool_], frame_s: Floats, detector: str, abstain_below: float
) -> list[Clip]:
    """Return the clips of one recording in the order of time."""
    joined = by_clip(mine)
    of_clip = [[row for row, window in enumerate(mine.windows) if window.clip == clip.clip] for clip in joined.windows]
    middles = [_middle(found[rows], frame_s[rows]) for rows in of_clip]
    pictures = _pictures(files, middles, detector)
    labels = told(joined, abstain_below=abstain_below)
    made = []
    for index in sorted(range(len(of_clip)), key=lambda index: joined.windows[index].t0_s):
        window, rows = joined.windows[index], sorted(of_clip[index], key=lambda row: mine.windows[row].t0_s)
        rating = window.rating or "none"
        made.append(
            Clip(
                title=f"trial {window.trial} · target {window.target} · rating {rating} · label {labels[index]}",
                face=pictures.get(index),
                since_s=np.array([mine.windows[row].t0_s for row in rows] + [mine.windows[rows[-1]].t1_s]) - window.t0_s,
                p={name: np.exp(values[rows]) for name, values in mine.log_p.items() if name in SHOWN},
            )
        )
    return made


def told(clips: Predictions, *, abstain_below: float) -> list[str]:
    """Return the label of each clip as the tables have it, or why there is none.

    Parameters
    ----------
    clips : Predictions
        From :func:`models.labels.by_clip`.
    abstain_below : float
        As in :func:`models.labels.rows`.
    """
    if clips.decisive is None:
        return ["none"] * len(clips.windows)
    log_p = clips.log_p[clips.decisive]
    labels = decide(log_p, abstain_below=abstain_below)
    there: NDArray[np.bool_] = np.asarray(np.isfinite(log_p).all(axis=1))
    return [
        clips.emotions[label] if label != NO_LABEL else "abstained" if there[row] else "none"
        for row, label in enumerate(labels.tolist())
    ]


def _middle(found: NDArray[np.bool_], frame_s: Floats) -> float:
    """Return the time of the frame with a face nearest to a clip's middle; NaN where there is none."""
    times = np.sort(frame_s[found])
    return float(times[len(times) // 2]) if len(times) else float("nan")


def _pictures(files: RecordingFiles, times_s: Sequence[float], detector: str) -> dict[int, NDArray[np.uint8]]:
    """Return faces by the index of their time."""
    wanted = np.array(times_s)[:, None]
    pictures: dict[int, NDArray[np.uint8]] = {}
    for path in video.videos(files):
        seen = crops.look(path, wanted, detect.make(detector), frames=video.pick)
        rows = np.flatnonzero(seen["found"][:, 0]).tolist()
        pictures.update(zip(rows, seen["crops"], strict=True))
    return pictures


def draw(path: Path, clips: Sequence[Clip], emotions: Sequence[str], *, title: str) -> Path:
    """Draw clips below each other as PNG.

    Parameters
    ----------
    path : Path
        The file; its folder is made.
    clips : sequence of Clip
        At least one.
    emotions : sequence of str
        Classes, in the order of the probabilities.
    title : str
        Of the whole.

    Returns
    -------
    Path
        The same path.
    """
    figure = Figure(figsize=(10, 0.9 + 1.25 * len(clips)), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(clips), 1 + len(SHOWN), squeeze=False, width_ratios=[0.5, 1, 1, 1])
    for line, clip in zip(grid, clips, strict=True):
        _portrait(line[0], clip)
        for axes, (name, text) in zip(line[1:], SHOWN.items(), strict=True):
            _over_time(axes, clip, name, emotions)
            axes.set_title(text, fontsize=8, loc="right", color="grey")
        said = line[1].annotate(clip.title, (0, 1), (0, 3), xycoords="axes fraction", textcoords="offset points", fontsize=8)
        said.set_in_layout(False)  # it may reach over the next column
    grid[-1, 2].set_xlabel("seconds since the clip's first window", fontsize=8)
    handles = [figure.add_artist(_swatch(colour)) for colour in _colours(emotions)]
    figure.legend(handles, emotions, loc="outside upper right", ncols=len(emotions), fontsize=8, frameon=False)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})
    return path


def _portrait(axes: Any, clip: Clip) -> None:
    axes.axis("off")
    if clip.face is None:
        axes.text(0.5, 0.5, "no face", ha="center", va="center", fontsize=8, color="grey")
    else:
        axes.imshow(clip.face)


def _over_time(axes: Any, clip: Clip, name: str, emotions: Sequence[str]) -> None:
    """Stack the probabilities of the windows; a missing window stays empty."""
    axes.set_ylim(0, 1)
    axes.set_xlim(clip.since_s[0], clip.since_s[-1])
    axes.tick_params(labelsize=6, length=2)
    axes.set_yticks([0, 1])
    if name not in clip.p:
        axes.text(0.5, 0.5, "not trained", ha="center", va="center", fontsize=7, color="grey", transform=axes.transAxes)
        return
    p = clip.p[name]
    bottom = np.zeros(len(p))
    for index, colour in enumerate(_colours(emotions)):
        height = np.nan_to_num(p[:, index])
        axes.bar(clip.since_s[:-1], height, np.diff(clip.since_s), bottom, align="edge", color=colour, linewidth=0)
        bottom = bottom + height


def _colours(emotions: Sequence[str]) -> list[str]:
    spare = iter(MORE * (1 + len(emotions) // len(MORE)))
    return [COLOURS.get(name) or next(spare) for name in emotions]


def _swatch(colour: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((0, 0), 0, 0, color=colour)
