"""Each detector finds the face that is there, in any frame size, and none where there is none."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from collector.faces import Finder
from collector.twin.face import Identity, draw, expression
from models import weights
from models.face import detect
from models.face.detect import DetectorError, Faces, best, make, missing, roll_deg
from models.face.follow import largest
from tests.models.face.detectors import at_hand, needs
from tests.models.face.videos import face, plain


def _drawn(size_px: tuple[int, int] = (640, 480), *, turn_deg: float = 0.0) -> NDArray[np.uint8]:
    image = draw(Identity.of(3), expression("fear", 0.8), size_px=size_px)
    turn = cv2.getRotationMatrix2D((size_px[0] / 2, size_px[1] / 2), -turn_deg, 1.0)  # OpenCV counts counterclockwise
    return cv2.warpAffine(image, turn, size_px, borderMode=cv2.BORDER_REPLICATE)


@pytest.mark.parametrize("name", ["haar", "yunet"])
@pytest.mark.parametrize("size_px", [(320, 240), (640, 480), (1280, 720)])
def test_the_face_is_found_where_it_was_drawn_in_every_frame_size(name: str, size_px: tuple[int, int]) -> None:
    (seen,) = at_hand(name).faces([_drawn(size_px)])
    x, y, width, height = seen.boxes[largest(seen.boxes)] / size_px[1]  # in heights of the picture
    assert abs(x + width / 2 - size_px[0] / size_px[1] / 2) < 0.05
    assert 0.40 < y + height / 2 < 0.60 and 0.3 < width < 0.7


@pytest.mark.parametrize("name", ["haar", "yunet"])
def test_the_eyes_say_by_how_much_the_head_is_tilted(name: str) -> None:
    detector = at_hand(name)
    for turn in (-12.0, 0.0, 12.0):
        (seen,) = detector.faces([_drawn(turn_deg=turn)])
        assert roll_deg(seen.eyes[largest(seen.boxes)]) == pytest.approx(turn, abs=6)


@pytest.mark.parametrize("name", ["haar", "yunet"])
def test_a_detector_is_deterministic_and_says_what_it_is(name: str) -> None:
    first, again = at_hand(name), at_hand(name)
    np.testing.assert_array_equal(first.faces([face()])[0].boxes, again.faces([face()])[0].boxes)
    assert first.name.startswith(f"{name} ") and first.name == again.name


@pytest.mark.parametrize("name", ["haar", "yunet"])
def test_no_path_is_handed_to_opencv_which_opens_only_ascii_ones_on_windows(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "Khuôn mặt"
    shutil.copytree(cv2.data.haarcascades, folder)  # type: ignore[attr-defined]
    monkeypatch.setattr(cv2.data, "haarcascades", f"{folder}/")  # type: ignore[attr-defined]
    empty, made = cv2.CascadeClassifier, cv2.FaceDetectorYN.create
    monkeypatch.setattr(cv2, "CascadeClassifier", lambda: empty())
    monkeypatch.setattr(cv2.FaceDetectorYN, "create", lambda kind, values, *more: made(kind, np.asarray(values), *more))
    assert at_hand(name).faces([face()])[0].boxes.shape == (1, 4)
    assert Finder().look(cv2.cvtColor(face(), cv2.COLOR_BGR2GRAY)).faces, "the collector's, too"


@pytest.mark.parametrize("name", ["haar", "yunet"])
def test_no_face_is_no_box_never_a_guess(name: str) -> None:
    for seen in at_hand(name).faces([plain(128), plain(0)]):
        assert seen.boxes.shape == (0, 4) and seen.eyes.shape == (0, 2, 2)


def test_eyes_that_are_not_known_or_are_no_pair_turn_nothing() -> None:
    assert roll_deg(np.full((2, 2), np.nan)) == 0.0
    assert roll_deg(np.array([[0.0, 0.0], [0.0, 5.0]])) == 0.0
    assert roll_deg(np.array([[10.0, 5.0], [20.0, 0.0]])) == pytest.approx(-26.6, abs=0.1)


def test_a_detector_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(DetectorError, match="detector = 'cascade9': use yolov8, yunet, haar"):
        make("cascade9")


def test_without_weights_each_says_what_it_lacks_and_haar_is_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(
        DetectorError, match="detector = yunet: its weights are not on this machine; run: emo-weights fetch yunet"
    ):
        make("yunet")
    monkeypatch.setattr(detect.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DetectorError, match=r"detector = yolov8: ultralytics is not installed; pip install 'emolab\[yolo\]'"):
        make("yolov8")
    assert missing("haar") == "" and best() == "haar"


def test_weights_that_are_no_network_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "face.onnx").write_bytes(b"no network")
    with pytest.raises(DetectorError, match=r"face\.onnx: holds no YuNet .*run: emo-weights fetch yunet") as error:
        make("yunet", path=tmp_path / "face.onnx")
    assert "\n" not in str(error.value)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an untrained network for faces, as ultralytics keeps one."""
    needs("ultralytics")
    from models.face.yolo import quiet

    path = tmp_path_factory.mktemp("yolo") / "face.pt"
    with quiet() as ultralytics:
        from ultralytics.nn.tasks import DetectionModel

        model = ultralytics.YOLO("yolov8n.yaml")
        model.model = DetectionModel("yolov8n.yaml", nc=1, verbose=False)
        model.save(str(path))
    return path


class TestYolo:
    """Ultralytics does its work and nothing else."""

    def test_threads_and_environment_are_as_they_were_and_no_host_is_looked_up(
        self, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_network(*_: object, **__: object) -> None:
            raise AssertionError("a host was looked up")

        monkeypatch.setattr(socket, "getaddrinfo", no_network)
        monkeypatch.setattr(socket.socket, "connect", no_network)
        torch.set_num_threads(2)
        cv2.setNumThreads(2)
        before = dict(os.environ)
        detector = make("yolov8", path=checkpoint)
        frames = [face(seed=seed) for seed in range(3)]
        found = detector.faces(frames)
        assert (torch.get_num_threads(), cv2.getNumThreads()) == (2, 2)
        assert dict(os.environ) == before
        assert len(found) == 3 and all(isinstance(seen, Faces) for seen in found) and detector.faces([]) == []
        assert detector.name.startswith("yolov8 ") and weights.digest(checkpoint) in detector.name

    def test_no_host_is_asked_for_even_while_ultralytics_is_loaded(self, tmp_path: Path) -> None:
        """In a process of its own: it looks for the network once, when it is imported, and remembers what it found."""
        needs("ultralytics")
        code = (
            "import json, socket, sys\n"
            "asked = []\n"
            "def told(name):\n"
            "    def no(*args, **_):\n"
            "        asked.append([name, repr(args)[:80]])\n"
            "        raise OSError('no network here')\n"
            "    return no\n"
            "socket.getaddrinfo = told('getaddrinfo')\n"
            "socket.create_connection = told('create_connection')\n"
            "socket.socket.connect = told('connect')\n"
            "from models.face.yolo import quiet\n"
            "with quiet():\n"
            "    from ultralytics.utils import ONLINE\n"
            "print(json.dumps([asked, ONLINE]))\n"
        )
        env = {name: value for name, value in os.environ.items() if not name.startswith("YOLO_")}
        env[weights.FOLDER_VARIABLE] = str(tmp_path / "weights")
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True, env=env)
        assert json.loads(done.stdout.splitlines()[-1]) == [[], False]

    def test_sharing_is_off(self, checkpoint: Path) -> None:
        from models.face.yolo import quiet

        assert checkpoint.is_file()
        with quiet() as ultralytics:
            assert ultralytics.settings["sync"] is False
            from ultralytics.utils import ONLINE

            assert ONLINE is False

    def test_boxes_are_turned_into_corner_and_size_and_tiny_ones_left_out(self) -> None:
        needs("ultralytics")
        from models.face.yolo import _corners_to_size

        boxes = _corners_to_size(np.array([[10.0, 20.0, 60.0, 90.0], [0.0, 0.0, 5.0, 6.0]]), 30.0)
        np.testing.assert_array_equal(boxes, [[10, 20, 50, 70]])

    def test_a_network_of_eighty_things_is_no_face_detector(self, tmp_path: Path) -> None:
        needs("ultralytics")
        from models.face.yolo import quiet

        with quiet() as ultralytics:
            ultralytics.YOLO("yolov8n.yaml").save(str(tmp_path / "coco.pt"))
        with pytest.raises(DetectorError, match=r"coco\.pt: names = 80 classes: a face detector has one"):
            make("yolov8", path=tmp_path / "coco.pt")

    def test_what_is_no_checkpoint_is_one_line(self, tmp_path: Path) -> None:
        needs("ultralytics")
        (tmp_path / "face.pt").write_bytes(b"no network")
        with pytest.raises(DetectorError, match=r"face\.pt: holds no YOLOv8") as error:
            make("yolov8", path=tmp_path / "face.pt")
        assert "\n" not in str(error.value)
