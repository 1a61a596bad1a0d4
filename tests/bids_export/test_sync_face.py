"""Blinks of a face in a video: by YuNet's landmarks where its weights are there, by OpenCV's cascades otherwise."""

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bids_export import sync_events, sync_face
from bids_export.recording import Video
from collector.faces import Finder
from collector.twin.blinks import Blinks
from collector.twin.portrait import Portrait
from collector.twin.timeline import State
from collector.video import VideoWriter

SEED, FPS, SIZE_PX = 3, 30.0, (640, 480)  # higher than a face is looked for: what is found must be scaled back
CUES = np.array([1.0, 4.0, 7.0, 10.0])
REAL = Path(os.environ.get("EMOLAB_WEIGHTS") or Path.home() / ".cache" / "emolab" / "weights") / sync_face.YUNET


class Landmarks:
    """Answers as OpenCV's YuNet does, for the drawn face: a small false face too, and the eyes in the picture's own pixels."""

    def __init__(self) -> None:
        self.haar, self.size = Finder(), (0, 0)

    def setInputSize(self, size: tuple[int, int]) -> None:
        self.size = size

    def detect(self, bgr: NDArray[np.uint8]) -> tuple[int, NDArray[np.float32] | None]:
        assert (bgr.shape[1], bgr.shape[0]) == self.size and bgr.shape[2] == 3
        face = self.haar.largest(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY))
        if face is None:
            return 0, None
        x, y, w, h = face
        rows = np.zeros((2, 15), np.float32)
        rows[0, :4], rows[0, 14] = (0, 0, 20, 20), 0.99
        rows[1, :8], rows[1, 14] = (x, y, w, h, x + 0.3 * w, y + 0.42 * h, x + 0.7 * w, y + 0.42 * h), 0.9
        return 1, rows


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Video:
    """Twelve seconds of a drawn face that blinks when it is asked to."""
    portrait, path = Portrait(SEED, size_px=SIZE_PX), tmp_path_factory.mktemp("film") / "face.mkv"
    times = np.arange(0, 12.5, 1 / FPS)
    with VideoWriter(path, SIZE_PX, FPS) as video:
        pts = [video.write(portrait.frame(n, t, State("rest", 0.0), cues=CUES), t) for n, t in enumerate(times.tolist())]
    return Video(path, None, np.array(pts), 100 + times)


def blinked() -> Sequence[float]:
    return [100 + t for t in Blinks(SEED).between(0, 12.5, cues=CUES) if any(0 < t - cue < 1.5 for cue in CUES)]


def check(film: Video, eyes: str) -> None:
    looked = sync_face.look([film], 100 + CUES, np.zeros(0))
    found = sync_events.closures(looked.times, sync_events.closedness(looked.closed))
    assert looked.eyes == eyes
    assert len(blinked()) == len(CUES)
    assert found == pytest.approx(blinked(), abs=1 / FPS)


def test_the_cascades_find_each_cued_blink_within_a_frame(
    film: Video, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setenv("EMOLAB_WEIGHTS", str(tmp_path))
    check(film, "Haar cascades")


def test_landmarks_of_yunet_lead_to_the_eyes_where_its_weights_are(
    film: Video, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """The seam: a detector that answers as YuNet's does; the largest face counts, and what it says is scaled back."""
    (tmp_path / sync_face.YUNET).write_bytes(b"weights")
    asked: list[str] = []
    monkeypatch.setenv("EMOLAB_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(cv2.FaceDetectorYN, "create", lambda path, *_: (asked.append(path), Landmarks())[1])
    monkeypatch.setattr(Finder, "eyes", lambda *_: pytest.fail("the cascade was asked, though there are landmarks"))
    check(film, "YuNet")
    assert asked == [str(tmp_path / sync_face.YUNET)]


@pytest.mark.skipif(not REAL.is_file(), reason=f"{sync_face.YUNET} is not on this machine: emo-weights fetch yunet")
def test_yunet_itself_finds_each_cued_blink_within_a_frame(film: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOLAB_WEIGHTS", str(REAL.parent))
    check(film, "YuNet")


def test_a_face_that_is_not_seen_is_no_blink(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOLAB_WEIGHTS", str(tmp_path))
    blank, path, times = np.full((240, 320, 3), 90, np.uint8), tmp_path / "blank.mkv", np.arange(0, 3, 1 / FPS)
    with VideoWriter(path, (320, 240), FPS) as video:
        pts = [video.write(blank, t) for t in times.tolist()]
    looked = sync_face.look([Video(path, None, np.array(pts), times)], CUES[:1], np.zeros(0))
    assert np.isnan(looked.closed).all()
    assert len(sync_events.closures(looked.times, sync_events.closedness(looked.closed))) == 0
