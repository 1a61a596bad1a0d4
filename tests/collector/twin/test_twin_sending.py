"""The twin's faults of sending and of the picture: what the preflight must find."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from collector import faces
from collector.faces import Finder
from collector.twin import told
from collector.twin.device import Rows
from collector.twin.face import NEUTRAL, Identity, draw
from collector.twin.knobs import Faults
from collector.twin.mishaps import Calendar, Mishap
from collector.twin.scenery import Scenery
from collector.twin.sending import Sending, headers
from collector.twin.sensors import EEG_LABELS
from collector.twin.told import ToldError
from collector.xdf import StreamHeader

SIZE = (320, 240)
COUNTER = EEG_LABELS.index("Counter")


def born(first: int, n: int) -> Rows:
    values = np.zeros((n, len(EEG_LABELS)))
    values[:, COUNTER] = np.arange(first, first + n) % 256
    return np.arange(first, first + n) / 256, values


def sent(faults: Faults, *, sfreq: float) -> list[Rows]:
    sends = Sending(faults, sfreq=sfreq)
    return [sends.eeg(born(first, 17)) for first in range(0, 17 * 64, 17)]


def test_ordinarily_all_is_sent_as_it_is_born() -> None:
    for n, (stamps, values) in enumerate(sent(Faults(), sfreq=256.0)):
        assert stamps.tolist() == born(17 * n, 17)[0].tolist() and values.shape == (17, len(EEG_LABELS))


def test_chunk_mode_keeps_samples_back_until_a_burst_is_full_and_loses_none() -> None:
    bursts = [rows for rows in sent(Faults(sends_chunks_s=2.0), sfreq=256.0) if len(rows[0])]
    assert [len(stamps) for stamps, _ in bursts] == [527, 527]  # the first 31 blocks of 17 that make 512 samples
    counts = np.concatenate([values[:, COUNTER] for _, values in bursts])
    assert (np.diff(counts) % 256 == 1).all()


def test_at_half_the_rate_every_second_sample_goes_out_and_the_counter_counts_those() -> None:
    rows = sent(Faults(sends_half=True), sfreq=128.0)
    stamps, counts = np.concatenate([s for s, _ in rows]), np.concatenate([v[:, COUNTER] for _, v in rows])
    assert np.diff(stamps) == pytest.approx(np.full(len(stamps) - 1, 1 / 128))
    assert (np.diff(counts) % 128 == 1).all() and counts.max() == 127


def test_the_header_says_what_is_sent() -> None:
    both = tuple(StreamHeader(name, name, 1, sfreq, "double64") for name, sfreq in (("EEG", 256.0), ("Contact", 2.0)))
    changed = headers(both, Faults(sends_half=True, sends_float32=True))
    assert [(one.sfreq, one.format) for one in changed] == [(128.0, "float32"), (2.0, "float32")]
    assert headers(both, Faults()) == both


def test_a_cohort_refuses_what_goes_wrong_live_alone(tmp_path: Path) -> None:
    script = tmp_path / "faults.toml"
    script.write_text("sends_chunks_s = 2.0")
    with pytest.raises(ToldError, match=r"sends_chunks_s = 2.0: goes wrong live alone"):
        told.offline_faults(script)
    assert told.faults(script).sends_chunks_s == 2.0


@pytest.mark.parametrize(
    ("kind", "word"), [("second_face", "several"), ("face_gone", "none"), ("dark", "dark"), ("bright", "bright")]
)
def test_what_happens_to_the_picture_is_seen_in_it(kind: str, word: str) -> None:
    finder, seen, before = Finder(), Counter(), Counter()
    for seed in range(4):
        picture = draw(Identity.of(seed), NEUTRAL, size_px=SIZE)
        scenery = Scenery(seed, size_px=SIZE, calendar=calendar(Mishap(kind, 5.0, since="device")))
        before[faces.judge(finder.look(scenery.spoil(picture, 4.0)))] += 1
        seen[faces.judge(finder.look(scenery.spoil(picture, 6.0)))] += 1
    assert (before, seen) == (Counter({"ok": 4}), Counter({word: 4}))


def test_a_frozen_camera_gives_the_last_picture_from_before_it_froze() -> None:
    scenery = Scenery(1, size_px=SIZE, calendar=calendar(Mishap("camera_freeze", 5.0, for_s=2.0, since="device")))
    pictures = [np.full((SIZE[1], SIZE[0], 3), grey, np.uint8) for grey in range(5)]
    given = [int(scenery.spoil(picture, t)[0, 0, 0]) for t, picture in zip((3.0, 4.0, 5.5, 6.5, 7.5), pictures, strict=True)]
    assert given == [0, 1, 1, 1, 4]


def calendar(*mishaps: Mishap) -> Calendar:
    return Calendar(mishaps, device=lambda: 0.0, session=lambda: None)
