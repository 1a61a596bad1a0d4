"""The pictures that need a window or recordings, photographed from the tool at work.

python docs/pictures/record.py screens demo/study            # a session on a virtual display: Xvfb, ImageMagick
python docs/pictures/record.py recordings demo/data demo/bids  # as `make demo` leaves them: Chromium
python docs/pictures/record.py reports demo/bids/derivatives/emolab-report  # the pages alone
python docs/pictures/record.py overview                      # the picture of the README, from the others
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import typer
from make import COLORS, HERE, canvas, drawn, grid, photo, save
from PIL import Image
from scipy.signal import butter, sosfiltfilt

from collector import xdf
from collector.quality import marker_rows
from protocol import folder
from protocol.folder import Manifest, Run

sys.path.append(str(HERE.parents[1]))  # the tests' display is no part of what is installed
from tests.display import laboratory

# where in the montage: the name of a state in the window's journal, or of the question
SHOWN = {
    "welcome": (0, 0),
    "baseline/eyes_open": (0, 1),
    "clip": (0, 2),
    "valence": (1, 0),
    "arousal": (1, 1),
    "emotion": (1, 2),
}
CELL_PX = (448, 252)
SENSORS = ("Fp1", "F3", "Cz", "T7", "Pz", "O2")
BEFORE_S, AFTER_S, N_FACES = 2.0, 6.0, 6
DRAWN_HZ, PITCH_UV = (1.0, 30.0), 110  # of the EEG in the picture; from sensor to sensor

app = typer.Typer(add_completion=False, rich_markup_mode=None, help=__doc__)


@app.command()
def screens(study: Path) -> None:
    """Photograph a simulated session in a real window."""
    with tempfile.TemporaryDirectory() as data, laboratory(size_px=(1280, 720)) as env:
        session = ["emo-run", str(study), "--participant", "07", "--data", data, "--twin"]
        with subprocess.Popen(session, env=env) as process:
            photos = dict(photographed(process, Path(data), env))
    cells = [[Image.new("RGB", CELL_PX)] * 3 for _ in range(2)]
    for name, (row, column) in SHOWN.items():
        cells[row][column] = photos[name].resize(CELL_PX, Image.Resampling.LANCZOS)
    save("participant-screens.png", grid(cells))


def photographed(process: subprocess.Popen[bytes], data: Path, env: dict[str, str]) -> Iterator[tuple[str, Image.Image]]:
    """Follow the window's journal; photograph each state a moment after it was entered."""
    done = 0
    while process.poll() is None:
        time.sleep(0.05)
        lines = [line for path in data.glob("*/*/*/journal-window.jsonl") for line in path.read_text().splitlines()]
        states = [row for row in map(json.loads, lines) if row["kind"] == "state"]
        if len(states) > done:
            done, state = len(states), states[-1]
            time.sleep(2.0 if state["name"] == "clip" else 0.5)
            shot = subprocess.run(["import", "-window", "root", "png:-"], env=env, capture_output=True, check=True).stdout
            yield state["data"].get("question", state["name"]), Image.open(BytesIO(shot)).convert("RGB")


@app.command()
def recordings(data: Path, root: Path) -> None:
    """Draw a timeline of the best recording, a confusion matrix, and the tops of the reports."""
    timeline(max(map(folder.open_run, data.glob("sub-*/ses-*/run-*")), key=contact_quality))
    derivatives = root.absolute() / "derivatives"
    with Image.open(sorted(derivatives.glob("emolab/figures/fusion_*_leave-one-subject-out.png"))[0]) as matrix:
        save("confusion.png", matrix.resize((matrix.width * 2 // 3, matrix.height * 2 // 3), Image.Resampling.LANCZOS))
    reports(derivatives / "emolab-report")


@app.command()
def reports(folder: Path) -> None:
    """Photograph the pages of a folder of reports: the first session's, its participant's, the group's."""
    folder = folder.absolute()
    first = sorted(folder.glob("sub-*_ses-*_report.html"))[0]
    page("session-report.png", first, height_px=1660)
    page("session-signals.png", first, height_px=1410, parts=("Spectra", "Alpha_with_closed_eyes", "Blinks_on_cue"))
    devices = ("Face_and_camera", "Clips_on_the_screen", "Sync_certificate", "Ratings_against_targets")
    page("session-devices.png", first, height_px=1890, parts=devices)
    left_out = [
        p for p in sorted(folder.glob("sub-??_report.html")) if "emo-verdict emo-exclude" in p.read_text(encoding="utf-8")
    ]
    if left_out:
        page("participant-report.png", left_out[0], height_px=1560)
    page("group-report.png", folder / "group_report.html", height_px=2370)


def contact_quality(run: Run) -> float:
    """Return the verdict's value."""
    quality = Manifest.load(run.manifest_json).quality
    return quality.value or 0.0 if quality else 0.0


def timeline(run: Run) -> None:
    """Draw face and EEG around a clip's onset, on one clock."""
    streams = xdf.read(run.xdf)
    eeg, frames = (xdf.by_name(streams, name) for name in ("EmotivDataStream-EEG", "emolab-frames"))
    onset_s, clip = next((t, m) for t, m in marker_rows(streams) if m.name == "clip/onset" and m.keys["target"] == "happiness")
    figure = canvas(7.2, 4.4)
    rows = figure.subfigures(2, 1, height_ratios=(1, 2.4))
    capture = cv2.VideoCapture(str(run.video()))
    for axes, t in zip(rows[0].subplots(1, N_FACES), np.linspace(-BEFORE_S, AFTER_S, 2 * N_FACES + 1)[1::2], strict=True):
        capture.set(cv2.CAP_PROP_POS_FRAMES, int(np.searchsorted(frames.stamps, onset_s + t)))
        picture = photo(capture.read()[1])
        side = picture.height
        axes.imshow(picture.crop(((picture.width - side) // 2, 0, (picture.width + side) // 2, side)))
        axes.set_axis_off()
    axes = rows[1].subplots()
    lowpass = butter(4, DRAWN_HZ, "band", fs=eeg.header.sfreq, output="sos")
    near = np.abs(eeg.stamps - onset_s - (AFTER_S - BEFORE_S) / 2) < (AFTER_S + BEFORE_S) / 2
    for n, name in enumerate(SENSORS):
        values = sosfiltfilt(lowpass, np.asarray(eeg.values)[:, eeg.header.labels.index(name)])[near]
        axes.plot(eeg.stamps[near] - onset_s, values - PITCH_UV * n, color="#333333", linewidth=0.6)
    axes.axvspan(0, AFTER_S, color=COLORS["happiness"], alpha=0.2, linewidth=0)
    axes.set_yticks([-PITCH_UV * n for n in range(len(SENSORS))], SENSORS)
    axes.set_xlim(-BEFORE_S, AFTER_S)
    axes.set_xlabel(f"seconds from clip/onset of {clip.keys['stim_id']} (simulated; EEG from 1 to 30 Hz)")
    save("timeline.png", drawn(figure), dither=Image.Dither.FLOYDSTEINBERG)


def page(name: str, html: Path, *, height_px: int, parts: Sequence[str] = ()) -> None:
    """Photograph the top of a page, or some of its parts alone."""
    with tempfile.TemporaryDirectory() as scratch:
        shot, shown = Path(scratch) / "page.png", Path(scratch) / "page.html"
        others = "".join(f":not(#{part})" for part in parts)
        hidden = f"<style>.accordion-item{others}, #toc {{ display: none }}</style>" if parts else ""
        shown.write_text(html.read_text(encoding="utf-8") + hidden, encoding="utf-8")
        browser = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={scratch}"]
        window = [f"--window-size=1200,{height_px + 100}", f"--screenshot={shot}", shown.as_uri()]
        subprocess.run([*browser, *window], check=True, capture_output=True)
        with Image.open(shot) as whole:
            part = whole.crop((0, 85 if parts else 0, whole.width, height_px))
            save(name, part.resize((part.width * 3 // 4, part.height * 3 // 4), Image.Resampling.LANCZOS))


@app.command()
def overview() -> None:
    """Lay out the picture of the README: what is shown, what is recorded, what it is worth."""
    with Image.open(HERE / "participant-screens.png") as six, Image.open(HERE / "timeline.png") as middle:
        width, height = CELL_PX
        step = (six.width - 3 * width) // 2 + width
        cells = [six.convert("RGB").crop((2 * step, 0, 2 * step + width, height)),
                 six.convert("RGB").crop((0, six.height - height, width, six.height))]  # fmt: skip
        left, centre = grid([[cell] for cell in cells]), middle.convert("RGB")
    with Image.open(HERE / "session-report.png") as report:
        right = report.convert("RGB")
    height = 370
    sheets = [s.resize((round(s.width * height / s.height), height), Image.Resampling.LANCZOS) for s in (left, centre, right)]
    strip = Image.new("RGB", (sum(sheet.width for sheet in sheets) + 24, height), "white")
    x = 0
    for sheet in sheets:
        strip.paste(sheet, (x, 0))
        x += sheet.width + 12
    save("overview.png", strip, dither=Image.Dither.FLOYDSTEINBERG)


if __name__ == "__main__":
    app()
