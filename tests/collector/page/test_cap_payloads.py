"""What contacts and camera say to the browser, without one."""

import cv2
import msgspec
import numpy as np
import pytest

from collector.faces import Exposure, Look
from collector.page import contacts, preview
from collector.page.board import Board
from collector.page.feed import Feed
from collector.page.live import Detail, Live
from collector.page.words_cap import CAP as WORDS
from collector.twin.sensors import CQ_LABELS, EEG_LABELS, SENSORS
from protocol.messages import CameraStatus, Envelope, Preview, Status, StreamStatus
from protocol.scene import Cap

from . import scenes

CAP = Cap(montage="colin27_1020", exclude=("FT9",), reference="CMS at TP9", ground="on the nose", line_freq=50)
PLACES = {
    "Cz": (0.0, 0.0, 0.1),
    "T8": (0.1, 0.0, 0.0),
    "T7": (-0.1, 0.0, 0.0),
    "Fz": (0, 0.1, 0),
    "Oz": (0, -0.1, 0),
    "TP9": (-0.09, -0.04, 0),
}


class FakeInlet:
    """The twin's headset: 10 Hz at Oz, mains at T7, blinks at Fp1 and Fp2, once, at the opening."""

    labels, sfreq = EEG_LABELS, 256.0

    def __init__(self, t: float) -> None:
        times = t - 10 + np.arange(2560) / 256
        values = 4200 + np.random.default_rng(1).normal(0, 5, (2560, len(EEG_LABELS)))
        values[:, EEG_LABELS.index("Oz")] += 20 * np.sin(2 * np.pi * 10 * times)
        values[:, EEG_LABELS.index("T7")] += 50 * np.sin(2 * np.pi * 50 * times)
        for label in ("Fp1", "Fp2"):
            values[:, EEG_LABELS.index(label)] += 120 * np.exp(-((times - (t - 3)) ** 2) / 2 / 0.06**2)
        self._given = [(times, values)]

    def pull(self):
        return self._given.pop() if self._given else (np.zeros(0), np.zeros((0, len(EEG_LABELS))))

    def close(self) -> None:
        pass


class Wire:
    def __init__(self, *bodies) -> None:
        self.bodies = list(bodies)

    def send(self, body, *, id_=None) -> bool:
        return True

    def receive(self):
        bodies, self.bodies = self.bodies, []
        return [Envelope(token="", who="launch", t_lsl=0.0, type=type(b).__name__, body=b) for b in bodies]


def status(**levels: float) -> Status:
    last = dict.fromkeys(SENSORS, 4.0) | levels
    streams = (
        StreamStatus(name="e", uid="e", kind="eeg", sfreq_nominal_hz=256, sfreq_hz=256, age_s=0, buffer_frac=0, n=1),
        StreamStatus(name="q", uid="q", kind="contact_quality", sfreq_nominal_hz=2, sfreq_hz=2, age_s=0, buffer_frac=0, n=1,
                     labels=CQ_LABELS, last=(0.0, 80.0, 82.0, 1.0, *last.values())),
    )  # fmt: skip
    return Status(recording=True, streams=streams, camera=CameraStatus(fps_hz=29.9, n_dropped=3, file="f.mkv"))


def scene(language: str = "en", cap: Cap = CAP):
    return msgspec.structs.replace(scenes.contacts(language), cap=cap)


@pytest.fixture
def live() -> Live:
    board = Board(Wire(scene(), status()), now=lambda: 100.0)
    board.pump()
    feed = Feed(lambda: board.status, now=lambda: 100.0, opener=lambda uid: FakeInlet(100.0))
    live = Live(board, now=lambda: 100.0, feed=feed, montage=lambda name: PLACES)
    live.feed.seek()
    live.feed.look()
    live.work()
    return live


def test_the_head_names_the_worst_and_lists_what_it_has_no_place_for(live: Live) -> None:
    shown = contacts.shown(live, scene(), status(T8=0.0, Cz=2.0, O1=1.0), since_s=0.0)
    assert ["T8", "none", 0] in shown["sensors"] and ["Cz", "fair", 50] in shown["sensors"]
    assert len(shown["sensors"]) == 31 and shown["worst"] == ["T8", "O1", "Cz"]
    assert shown["advice"] == "Wet first: T8, O1, Cz" and shown["count"] == "good 28 of 31"
    assert (shown["overall"], shown["reached"], shown["wanted"]) == ("82", True, "wanted 80 %")
    assert set(shown["places"]["at"]) == {"Cz", "T8", "T7", "Fz", "Oz"}
    assert "O1" in shown["places"]["beside"] and "Cz" not in shown["places"]["beside"]
    (reference, text, at), (ground, where, nowhere) = shown["places"]["marks"]
    assert (reference, text, ground, where, nowhere) == ("reference", "CMS at TP9", "ground", "on the nose", None)
    assert at[0] < -0.4


def test_a_device_that_says_nothing_of_its_contacts_has_its_sensors_all_the_same(live: Live) -> None:
    live._read_montage("x")
    shown = contacts.shown(live, scene(), None, since_s=0.0)
    assert {name for name, state, share in shown["sensors"] if (state, share) == ("unknown", None)} == {
        "Cz",
        "T8",
        "T7",
        "Fz",
        "Oz",
    }
    assert shown["overall"] is None and not shown["reached"]
    assert shown["advice"] == "The headset says nothing of its contacts."


def test_blinks_of_the_last_seconds_are_told_and_asked_for(live: Live) -> None:
    assert contacts.shown(live, scene(cap=Cap(montage="")), status(), since_s=0)["blink"]["state"] == "blind"
    live._montage = lambda name: PLACES | {"Fp1": (-0.03, 0.09, 0), "Fp2": (0.03, 0.09, 0)}
    live._read_montage("y")
    live._slow_at = -1e9
    live.work()
    assert contacts.shown(live, scene(), status(), since_s=0)["blink"] == {
        "state": "seen", "text": "Blink seen 3 s ago (1 in the last 10 s)",
    }  # fmt: skip
    live.blinks = np.zeros(0)
    assert contacts.shown(live, scene("vi"), status(), since_s=0)["blink"]["text"] == "Đề nghị người tham gia chớp mắt."


def test_one_sensor_closely_shows_its_mains_and_its_spectrum(live: Live) -> None:
    live.choose("T7")
    live.work()
    closely = contacts.shown(live, scene(), status(), since_s=0)["detail"]
    assert closely["name"] == "T7" and closely["mains"][0]["uv"] == pytest.approx(50 / np.sqrt(2), rel=0.05)
    assert closely["mains"][0]["high"] and "move cables" in closely["mains"][0]["text"]
    assert closely["db"][round(50 / closely["step_hz"])] == max(closely["db"])
    assert max(closely["high"]) < 25  # the notch is on
    live.tracer.choose(notch=False)
    live._detail_at = -1e9
    live.work()
    assert max(contacts.shown(live, scene(), status(), since_s=0)["detail"]["high"]) > 30
    live.choose("Oz")
    live.work()
    closely = contacts.shown(live, scene("vi"), status(), since_s=0)["detail"]
    assert closely["db"].index(max(closely["db"])) * closely["step_hz"] == 10.0 and not closely["mains"][0]["high"]
    assert "Điện lưới 50 Hz: 0," in closely["mains"][0]["text"]  # a decimal comma
    live.choose("Nz")
    live.work()
    assert contacts.shown(live, scene(), status(), since_s=0)["detail"] is None


def test_without_a_known_mains_both_are_looked_for(live: Live) -> None:
    board = live.board
    board._wire.bodies.append(scene(cap=Cap(montage="x")))
    board.pump()
    live.choose("T7")
    live.work()
    assert [hz for hz, _ in live.detail.mains] == [50.0, 60.0] and isinstance(live.detail, Detail)


def seen(n: int, *, size: float = 0.5, mean: float = 110.0) -> Look:
    boxes = tuple((10 + 100 * k, 20, round(size * 240), round(size * 240)) for k in range(n))
    return Look(boxes, (), Exposure(mean, 0.0, 0.0), 50.0, (320, 240))


PICTURE = Preview(jpeg=b"jpeg", t=1.0)


@pytest.mark.parametrize(("looks", "word", "state", "text"), [
    ((seen(1),), "ok", "good", "one face"),
    ((seen(0),), "none", "bad", "no face"),
    ((seen(2),), "several", "bad", "2 faces"),
    ((seen(1, mean=20.0),), "dark", "look", "too dark"),
    ((seen(1, mean=240.0),), "bright", "look", "too bright"),
    ((seen(1, size=0.17),), "small", "look", "face too small: move the camera nearer"),
    ((seen(1), seen(0), seen(1)), "ok", "good", "one face"),
    ((seen(1), seen(0), seen(0)), "none", "bad", "no face"),
])  # fmt: skip
def test_the_picture_is_told_in_a_word(looks, word: str, state: str, text: str) -> None:
    shown = preview.shown(PICTURE, looks, scene(), status(), age_s=0.1)
    assert (shown["word"], shown["state"], shown["text"]) == (word, state, text)
    assert len(shown["boxes"]) == len(looks[-1].faces) and shown["picture"] == "data:image/jpeg;base64,anBlZw=="
    assert shown["facts"][:2] == ["29.9 frames/s", "3 dropped"]


def test_a_box_is_given_in_parts_of_the_picture() -> None:
    assert preview.shown(PICTURE, (seen(1),), scene(), status(), age_s=0)["boxes"] == [[0.0312, 0.0833, 0.375, 0.5]]


def test_an_old_picture_is_not_shown_and_a_still_one_is_told() -> None:
    assert preview.shown(PICTURE, (seen(1),), scene(), status(), age_s=2.1)["text"] == "no picture of the camera"
    assert preview.shown(None, (), scene(), None, age_s=99)["state"] == "none"
    assert preview.shown(PICTURE, (seen(1),), scene(), status(), age_s=0.1, frozen=True)["text"] == "the picture stands still"
    assert preview.shown(PICTURE, (), scene(), status(), age_s=0.1)["text"] == "looking …"


def test_the_watcher_looks_once_at_each_picture_and_tells_when_they_are_all_one() -> None:
    t = [0.0]
    frame = np.full((240, 320, 3), 120, np.uint8)
    wire = Wire(scene(), Preview(jpeg=cv2.imencode(".jpg", frame)[1].tobytes(), t=0.0))
    board = Board(wire, now=lambda: t[0])
    board.pump()
    watcher = preview.Watcher(board)
    watcher.look()
    watcher.look()
    assert len(watcher.looks) == 1 and not watcher.frozen and watcher.looks[0].faces == ()
    t[0] = 3.1
    wire.bodies.append(board.preview)
    board.pump()
    watcher.look()
    assert watcher.frozen and len(watcher.looks) == 1
    wire.bodies.append(Preview(jpeg=cv2.imencode(".jpg", frame + 1)[1].tobytes(), t=3.2))
    board.pump()
    watcher.look()
    assert not watcher.frozen and len(watcher.looks) == 2
    t[0] = 9.0
    watcher.look()
    assert not watcher.looks and not watcher.frozen  # what was seen of old pictures says nothing


def test_both_languages_have_the_same_words_with_the_same_values() -> None:
    import re

    assert WORDS["en"].keys() == WORDS["vi"].keys()
    for key, text in WORDS["en"].items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", WORDS["vi"][key])), key
    letters = [k for k in WORDS["en"] if k.startswith("cap_letter_")]
    for language in ("en", "vi"):
        assert len({WORDS[language][k] for k in letters}) == 5
