"""Faces: frames a second from the video to probabilities, a session's video to crops, and what each detector finds."""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from collector.twin.face import Identity, draw, expression
from collector.video import VideoWriter
from models.face import crops, video
from models.face.detect import DETECTORS, Detector, make, missing
from models.face.follow import largest
from models.face.patch_attention import PatchAttention, load_backbone
from models.face.video import decode
from tests.benchmarks.table import Row
from tests.models.face.detectors import DATA, YUNET, sample, train_yolo

SIZE_PX = (1280, 720)
FPS = 30.0
SESSION_S = float(os.environ.get("EMOLAB_BENCH_VIDEO_S", 1200))  # a session; shorter for a quick look
N_FRAMES = 5  # a window of 3 s
REPEATS = 3
N_TRAIN, N_EPOCHS, N_HELD_OUT = 400, 6, 200  # of the YOLOv8n
COMMAND = "make bench TOPIC=face"
TILTS = (-20, -10, 10, 20)


def rows() -> list[Row]:
    """Return the measurements; what is not installed is said."""
    torch.set_num_threads(os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        yolo, found = _yolo(folder / "yolo")
        detectors, absent = _detectors(yolo)
        film = _film(folder / "face_video.mkv", SESSION_S)
        speed = [_frames_a_second(name, detector, film) for name, detector in detectors.items()]
        session = [_session(name, detector, film) for name, detector in detectors.items() if name != "yolov8"]
        real = [_real(name, detector) for name, detector in detectors.items()]
    return [*speed, *session, *found, *real, *absent]


def _yolo(folder: Path) -> tuple[Path | None, list[Row]]:
    """Train a YOLOv8n on drawn faces and count what it finds of others."""
    if missing("yolov8", path=folder):
        return None, []
    began = time.perf_counter()
    weights = train_yolo(folder, n=N_TRAIN, epochs=N_EPOCHS)
    took = time.perf_counter() - began
    rng, detector = np.random.default_rng(99), make("yolov8", path=weights)
    pictures = [sample(rng) for _ in range(N_HELD_OUT)]
    hits = 0
    for first in range(0, N_HELD_OUT, detector.batch):
        some = pictures[first : first + detector.batch]
        for seen, (_, box) in zip(detector.faces([image for image, _ in some]), some, strict=True):
            hits += any(_overlap(one, box) > 0.5 for one in seen.boxes)
    figure = f"{hits / N_HELD_OUT:.1%} of {N_HELD_OUT}"
    what = f"held-out simulated faces found by a YOLOv8n trained on {N_TRAIN} ({N_EPOCHS} epochs, {took:.0f} s)"
    return weights, [Row(what, figure, ">= 95 %", "", COMMAND)]


def _overlap(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return intersection over union of two boxes (x, y, width, height)."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[:2] + a[2:], b[:2] + b[2:])
    both = float(np.prod(np.maximum(high - low, 0)))
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def _detectors(yolo: Path | None) -> tuple[dict[str, Detector], list[Row]]:
    """Return the detectors that this machine has, and a line for each that it lacks."""
    own = {"yolov8": yolo, "yunet": YUNET if YUNET.is_file() else None, "haar": None}
    found: dict[str, Detector] = {}
    absent = []
    for name in DETECTORS:
        if why := missing(name, path=own[name]):
            absent.append(Row(f"detector {name}", "not measured", "", "", why))
        else:
            found[name] = make(name, path=own[name])
    return found, absent


def _film(path: Path, duration_s: float) -> Path:
    """Write a video of a face that moves, as the recorder writes it, and its frames' times; a camera is not quite regular."""
    rng = np.random.default_rng(1)
    still = [draw(Identity.of(3), expression(name, 0.8), size_px=SIZE_PX) for name in ("happiness", "neutral", "fear")]
    noise = [rng.normal(0, 3, (*image.shape[:2], 1)) for image in still]
    shown = [np.clip(image + extra, 0, 255).astype(np.uint8) for image, extra in zip(still, noise, strict=True)]
    writer, n = VideoWriter(path, SIZE_PX, FPS), round(duration_s * FPS)
    onsets = np.cumsum(rng.uniform(0.8, 1.2, n)) / FPS
    for index in range(n):
        writer.write(np.roll(shown[index // 90 % 3], index % 12, axis=1), float(onsets[index] - onsets[0]))
    writer.close()
    lines = [f"{index}\t{onset:.6f}" for index, onset in enumerate(onsets)]
    video.frame_table(path).write_text("frame\tonset\n" + "\n".join(lines) + "\n")
    return path


def _frames_a_second(name: str, detector: Detector, film: Path) -> Row:
    """Time every frame of ten seconds: decoded, found, cropped, through both networks."""
    backbone, network = load_backbone(), PatchAttention(4).eval()
    n = round(10 * FPS)
    turns = [_timed(lambda: _through(decode(film, range(n)), detector, backbone, network)) for _ in range(REPEATS)]
    wall_s, cpu_s = np.median(turns, axis=0) / n
    figure = f"{1 / wall_s:.0f} frames/s; {1000 * cpu_s:.1f} ms of processor time a frame"
    return Row(f"every frame of 720p to probabilities, {name}", figure, ">= 30 frames/s", "", COMMAND)


def _through(frames: Iterator[tuple[int, NDArray[np.uint8]]], detector: Detector, backbone: object, network: object) -> None:
    batch: list[NDArray[np.uint8]] = []
    for _, image in frames:
        batch.append(image)
        if len(batch) == 16:
            _classify(batch, detector, backbone, network)
            batch = []
    if batch:
        _classify(batch, detector, backbone, network)


def _classify(images: list[NDArray[np.uint8]], detector: Detector, backbone, network) -> None:  # type: ignore[no-untyped-def]
    found = [
        seen
        for first in range(0, len(images), detector.batch)
        for seen in detector.faces(images[first : first + detector.batch])
    ]
    faces = [
        crops.crop(image, seen.boxes[largest(seen.boxes)]) for image, seen in zip(images, found, strict=True) if len(seen.boxes)
    ]
    assert len(faces) > 0.9 * len(images), "a face was missed in a tenth of the frames"
    with torch.inference_mode():
        network(torch.from_numpy(backbone.maps(np.stack(faces)))).softmax(dim=1)


def _session(name: str, detector: Detector, film: Path) -> Row:
    """Time a session's video to the crops of all its windows."""
    starts = np.arange(0, SESSION_S - 3, 3.0)
    times = np.array([video.sample_times(start, start + 3, N_FRAMES) for start in starts])
    wall_s, cpu_s = _timed(lambda: crops.look(film, times, detector))
    figure = f"{wall_s / SESSION_S:.1%} of its duration; processor time {cpu_s / SESSION_S:.1%}"
    return Row(
        f"{SESSION_S / 60:.0f} min of 720p30 to crops, {N_FRAMES} frames a window, {name}", figure, "<= 25 %", "", COMMAND
    )


def _timed(work) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    """Return wall time and processor time, seconds: on a busy machine the second is the one to compare."""
    began, spent = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - spent


def _real(name: str, detector: Detector) -> Row:
    """Look for a real face as it is, under a drawn cap with sensors, dimmed, and tilted."""
    path = DATA / "images" / "grace_hopper.png"
    if not path.is_file():
        return Row(f"a photograph, {name}", "not measured", "", "", f"{path.name} is not on this machine")
    image = np.asarray(cv2.imread(str(path)), np.uint8)
    said = {
        text: "found" if _hit(detector, shown) else "MISSED, said to be missing" for text, shown in _conditions(image).items()
    }
    figure = "; ".join(f"{text}: {verdict}" for text, verdict in said.items())
    return Row(f"a photograph of a face, {name}", figure, "what is missed is missing", "", COMMAND)


def _hit(detector: Detector, image: NDArray[np.uint8]) -> bool:
    """Return whether the largest box holds the middle of the face, and is of its size."""
    (seen,) = detector.faces([image])
    if not len(seen.boxes):
        return False
    x, y, width, height = seen.boxes[largest(seen.boxes)] / image.shape[1]
    return abs(x + width / 2 - 0.5) < 0.12 and abs(y + height / 2 - 0.35) < 0.12 and 0.2 < width < 0.6


def _conditions(image: NDArray[np.uint8]) -> dict[str, NDArray[np.uint8]]:
    height, width = image.shape[:2]
    made = {"plain": image, "cap and sensors": capped(image), "dimmed to 35 %": (image * 0.35).astype(np.uint8)}
    for angle in TILTS:
        turn = cv2.getRotationMatrix2D((width / 2, height * 0.35), angle, 1.0)
        made[f"tilted {angle} deg"] = np.asarray(
            cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8
        )
    return made


def capped(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Draw a dark cap over the hair down to the brows' upper edge, with bright sensors and a chin strap."""
    out = image.copy()
    height, width = image.shape[:2]
    middle = (round(width * 0.5), round(height * 0.24))
    axes = (round(width * 0.21), round(height * 0.14))
    cv2.ellipse(out, middle, axes, 0, 180, 360, (40, 40, 45), -1)
    for angle in range(190, 360, 20):
        at = np.radians(angle)
        spot = (round(middle[0] + 0.8 * axes[0] * np.cos(at)), round(middle[1] + 0.8 * axes[1] * np.sin(at)))
        cv2.circle(out, spot, max(3, width // 70), (200, 200, 210), -1)
    return out
