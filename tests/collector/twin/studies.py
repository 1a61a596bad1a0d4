"""A small study on disk, with files that stand for its clips: nothing decodes them on virtual time."""

from pathlib import Path

from protocol.study_files import StudyFiles, load_study
from stimuli import manifest
from stimuli.manifest import Entry

from .helpers import EMOTIONS

CLIP_S = 2.0

_STUDY = """
[study]
name = "Small"

[emotions]
happiness = {{ hed = "Joyful", color = "#E69F00" }}
sadness = {{ hed = "Sad", color = "#0072B2" }}
fear = {{ hed = "Fearful", color = "#CC79A7" }}
neutral = {{ hed = "Emotionally-neutral", color = "#7F7F7F" }}

[stimuli]
clips_per_emotion = {per_emotion}

[timing]
baseline = 3.0
fixation = 0.5
rest = {rest_s}

[ratings]
sam = ["valence", "arousal"]
discrete = {discrete}

[sync]
blinks = {blinks}
flashes = {blinks}

[camera]
size_px = [160, 120]
fps = {fps}

[contact_quality]
metric = "{metric}"
threshold = {threshold}

[consent]
version = "1"
"""


def small_study(
    folder: Path,
    *,
    per_emotion: int = 1,
    threshold: float = 0.8,
    metric: str = "CQ",
    discrete: bool = True,
    rest_s: float = 0.5,
    fps: int = 10,
    blinks: int = 0,
) -> StudyFiles:
    folder.mkdir(parents=True)
    entries = []
    for emotion in EMOTIONS:
        for n in range(1, per_emotion + 1):
            file = folder / f"{emotion}{n:02d}.mp4"
            file.write_bytes(file.name.encode())
            entries.append(Entry(file, file.stem, emotion, 0.0, CLIP_S, manifest.sha256(file)))
    manifest.write(folder / "clips.tsv", entries)
    text = _STUDY.format(
        per_emotion=per_emotion,
        threshold=threshold,
        metric=metric,
        discrete=str(discrete).lower(),
        rest_s=rest_s,
        fps=fps,
        blinks=blinks,
    )
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return load_study(folder)
