"""Small BIDS recordings with a face in their video."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from collector.twin.face import Identity, draw, expression
from models.bids import RecordingFiles
from models.windows import Window

Image = NDArray[np.uint8]
SIZE = (320, 240)
EMOTIONS = ("happiness", "sadness", "fear", "neutral")


def recording(root: Path, participant: str = "01", scopes: str = "eeg+face+train") -> RecordingFiles:
    """Return the names of a recording; no file is written."""
    eeg = root / f"sub-{participant}/ses-01/eeg/sub-{participant}_ses-01_task-emotion_run-01_eeg.vhdr"
    return RecordingFiles(participant=participant, session="01", run="01", eeg=eeg, scopes=frozenset(scopes.split("+")))


def window(t0_s: float, *, participant: str = "01", target: str = "neutral", trial: int = 1) -> Window:
    return Window(
        participant=participant, session="01", run="01", trial=trial, stim_id=f"{target}01", target=target, rating=None,
        t0_s=t0_s, t1_s=t0_s + 3.0,
    )  # fmt: skip


def film(
    files: RecordingFiles,
    images: Sequence[Image],
    onsets_s: Iterable[float],
    *,
    part: str = "",
    numbers: Iterable[int] = (),
    turn_deg: int = 0,
) -> Path:
    """Write a face video and the table of its frames' times; `turn_deg` counterclockwise sets it upright."""
    path = files.sibling(f"_recording-face{part}_video.mkv", "beh")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=15, options={"preset": "ultrafast", "qp": "10"})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        if turn_deg:
            stream.set_display_rotation(turn_deg)
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    rows = zip(numbers or range(len(images)), onsets_s, strict=True)
    table = "frame\tonset\n" + "".join(f"{number}\t{onset:.6f}\n" for number, onset in rows)
    path.with_name(path.name.replace("_video.mkv", "_frames.tsv")).write_text(table, encoding="utf-8")
    return path


def face(emotion: str = "neutral", *, seed: int = 1, intensity: float = 1.0) -> Image:
    """Draw somebody's face."""
    return draw(Identity.of(seed), expression(emotion, intensity), size_px=SIZE)


def plain(value: int) -> Image:
    """Return a frame of one grey value, without a face."""
    return np.full((SIZE[1], SIZE[0], 3), value, dtype=np.uint8)


def moved(image: Image, rng: np.random.Generator) -> Image:
    """Shift, turn and add noise, as a camera and a head do."""
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.normal(0, 2), 1 + rng.normal(0, 0.02))
    turn[:, 2] += rng.normal(0, 2, 2)
    warped = cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.clip(warped + rng.normal(0, 3, (height, width, 1)), 0, 255).astype(np.uint8)
