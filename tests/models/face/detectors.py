"""Detectors that tests may use: what is not on this machine is skipped by name; and a YOLOv8 trained on drawn faces."""

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import cv2
import matplotlib
import numpy as np
import pytest
from numpy.typing import NDArray

from collector.twin.face import Identity, draw, expression
from models.face.detect import Boxes, Detector, make
from tests.models.face.videos import EMOTIONS

DATA = Path(__file__).parents[4] / "shared" / "data"
YUNET = DATA / "weights" / "face_detection_yunet_n_320.onnx"
SIZE_PX = (320, 240)


def needs(module: str) -> None:
    """Skip where a module of an extra is not installed."""
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")


def at_hand(name: str) -> Detector:
    """Return a detector, or skip where its weights are not on this machine."""
    if name == "yunet" and not YUNET.is_file():
        pytest.skip(f"{YUNET.name} is not on this machine")
    return make(name, path=YUNET if name == "yunet" else None)


def sample(rng: np.random.Generator) -> tuple[NDArray[np.uint8], Boxes]:
    """Return a picture of somebody's face as a camera sees it, and its box (4,): x, y, width, height."""
    width, height = SIZE_PX
    emotion = EMOTIONS[rng.integers(4)]
    image = draw(Identity.of(int(rng.integers(1 << 30))), expression(emotion, rng.uniform(0.6, 1.1)), size_px=SIZE_PX)
    turn = cv2.getRotationMatrix2D((width / 2, 0.48 * height), rng.uniform(-15, 15), rng.uniform(0.6, 1.2))
    turn[:, 2] += rng.uniform(-0.12, 0.12, 2) * SIZE_PX
    image = cv2.warpAffine(image, turn, SIZE_PX, borderMode=cv2.BORDER_REPLICATE)
    image = np.clip(image * rng.uniform(0.5, 1.25) + rng.normal(0, rng.uniform(1, 5), (height, width, 1)), 0, 255)
    half = 0.165 * width  # of the drawn face
    rim = np.array([[np.cos(a), 1.3 * np.sin(a)] for a in np.linspace(0, 2 * np.pi, 32)]) * half + (width / 2, 0.48 * height)
    at = rim @ turn[:, :2].T + turn[:, 2]
    low, high = np.clip(at.min(axis=0), 0, SIZE_PX), np.clip(at.max(axis=0), 0, SIZE_PX)
    return image.astype(np.uint8), np.concatenate([low, high - low])


def write_set(folder: Path, n: int, rng: np.random.Generator) -> None:
    """Write pictures and boxes as ultralytics reads them."""
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    for index in range(n):
        image, (x, y, width, height) = sample(rng)
        cv2.imwrite(str(folder / "images" / f"{index:05d}.jpg"), image)
        cells = np.array([x + width / 2, y + height / 2, width, height]) / np.tile(SIZE_PX, 2)
        (folder / "labels" / f"{index:05d}.txt").write_text("0 " + " ".join(f"{cell:.6f}" for cell in cells) + "\n")


def train_yolo(folder: Path, *, n: int, epochs: int, seed: int = 1) -> Path:
    """Train a YOLOv8n from its own description, without any download, by ultralytics' loader; return its weights."""
    from models import weights
    from models.face.yolo import quiet

    rng = np.random.default_rng(seed)
    write_set(folder / "train", n, rng)
    write_set(folder / "val", max(8, n // 10), rng)
    description = folder / "faces.yaml"
    description.write_text(f"path: {folder}\ntrain: train/images\nval: val/images\nnames:\n  0: face\n")
    with quiet() as ultralytics:
        font = weights.folder().parent / "ultralytics" / "Ultralytics" / "Arial.ttf"  # any font: it would download one
        if not font.exists():
            font.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf", font)
        model: Any = ultralytics.YOLO("yolov8n.yaml")
        model.train(
            data=str(description), epochs=epochs, imgsz=320, batch=8, device="cpu", workers=0, seed=seed, plots=False,
            project=str(folder), name="run", verbose=False, amp=False, pretrained=False, val=False, mosaic=0.0,
            optimizer="AdamW", lr0=2e-3, warmup_epochs=0.5, cache=False,
        )  # fmt: skip
    return folder / "run" / "weights" / "last.pt"
