"""The cap on a flat head: every sensor in its place, every contact by the gate's rule."""

import numpy as np
import pytest

from collector.page import head
from collector.page.blinks import blinks, frontal
from collector.twin.sensors import CQ_LABELS, SENSORS
from protocol.messages import Status, StreamStatus
from protocol.scene import Cap

CAP = Cap(montage="colin27_1020", exclude=("FT9",))


@pytest.fixture(scope="module")
def positions() -> dict[str, tuple[float, float, float]]:
    return head.montage("colin27_1020")


@pytest.fixture(scope="module")
def placed(positions) -> dict[str, head.Place]:
    return head.places(SENSORS, positions)


def test_every_sensor_lies_inside_the_head_and_none_on_another(placed) -> None:
    assert set(placed) == set(SENSORS)
    radius = head.dot_radius(placed.values())
    points = np.array(list(placed.values()))
    assert np.hypot(*points.T).max() + radius < 1.0
    apart = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))[~np.eye(len(points), dtype=bool)]
    assert apart.min() >= 2 * radius and radius >= 0.05


def test_the_nose_is_up_and_left_is_left(placed) -> None:
    assert placed["Fz"][1] > 0.2 and placed["Oz"][1] < -0.2
    assert placed["T7"][0] < -0.5 and placed["T8"][0] > 0.5
    assert np.hypot(*placed["Cz"]) < 0.06


@pytest.mark.parametrize(
    ("left", "right"), [("Fp1", "Fp2"), ("F7", "F8"), ("C3", "C4"), ("T7", "T8"), ("PO9", "PO10"), ("O1", "O2")]
)
def test_left_and_right_are_mirrored(placed, left: str, right: str) -> None:
    assert placed[left] == pytest.approx((-placed[right][0], placed[right][1]), abs=0.05)


def test_a_cap_of_128_sensors_has_a_place_for_each() -> None:
    positions = head.montage("GSN-HydroCel-128")
    placed = head.places(positions, positions)
    assert len(placed) == 128 and max(np.hypot(*p) for p in placed.values()) < 0.93
    assert head.dot_radius(placed.values()) >= 0.02


def test_labels_are_found_whatever_their_capitals_and_unknown_ones_left_to_be_listed(positions) -> None:
    assert set(head.places(["FP1", "cz", "EXG1"], positions)) == {"FP1", "cz"}
    assert head.places(["EXG1"], positions) == {}


def quality(*, age_s: float | None = 0.1, **levels: float) -> Status:
    last = {"Timestamp": 1.7e9, "BatteryPercent": 80.0, "Overall": 75.0, "Signal": 1.0} | dict.fromkeys(SENSORS, 4.0) | levels
    stream = StreamStatus(
        name="CQ", uid="1", kind="contact_quality", sfreq_nominal_hz=2, sfreq_hz=2, age_s=age_s, buffer_frac=0, n=9,
        last=tuple(last.values()), labels=CQ_LABELS,
    )  # fmt: skip
    return Status(recording=True, streams=(stream,))


def test_the_devices_levels_become_shares_and_what_is_left_out_is_left_out() -> None:
    found = head.reading(quality(O1=2.0, O2=1.0, Cz=0.0), CAP, "CQ", since_s=0.2)
    assert found.overall == 0.75 and len(found.shares) == 31 and "FT9" not in found.shares
    assert (found.shares["Fz"], found.shares["O1"], found.shares["O2"], found.shares["Cz"]) == (1.0, 0.5, 0.25, 0.0)
    assert [head.state(found.shares[n], 0.8) for n in ("Fz", "O1", "O2", "Cz")] == ["good", "fair", "poor", "none"]


@pytest.mark.parametrize(("age_s", "since_s"), [(2.1, 0.0), (0.1, 2.0), (None, 0.0)])
def test_what_was_said_too_long_ago_is_not_known(age_s: float | None, since_s: float) -> None:
    found = head.reading(quality(age_s=age_s), CAP, "CQ", since_s=since_s)
    assert len(found.shares) == 31 and set(found.shares.values()) == {None} and found.overall is None


def test_a_value_that_is_no_number_is_not_known_and_no_good_contact() -> None:
    found = head.reading(quality(O1=float("nan"), Overall=-1.0), CAP, "CQ", since_s=0.0)
    assert (found.shares["O1"], found.overall) == (None, None)


def test_the_device_has_no_such_stream() -> None:
    assert head.reading(quality(), CAP, "EQ", since_s=0.0) == head.Reading({})
    assert head.reading(None, CAP, "CQ", since_s=0.0) == head.Reading({})


def test_the_worst_three_are_named_first_and_good_ones_never() -> None:
    shares = {"A": 0.5, "B": 1.0, "C": 0.0, "D": 0.25, "E": None, "F": 0.25}
    assert head.worst(shares, 0.8) == ["C", "D", "F"]
    assert head.worst({"B": 1.0, "E": None}, 0.8) == []


def test_channels_drawn_are_the_studys_or_the_montages_or_all() -> None:
    labels = ["Counter", "Cz", "FT9", "Fz", "Cz"]
    assert head.sensors(labels, CAP, ["Cz", "Fz", "FT9"]) == ["Cz", "Fz"]
    assert head.sensors(labels, Cap(montage="x", channels=("Fz", "Counter")), []) == ["Counter", "Fz"]
    assert head.sensors(["1", "2"], CAP, ["Cz"]) == ["1", "2"]


def eeg(*, at: tuple[float, ...], everywhere: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Ten seconds at 256 Hz of Fp1, Fp2, Cz, Pz, O1, O2 with blinks of 120 uV."""
    stamps = 500 + np.arange(2560) / 256
    values = np.random.default_rng(6).normal(0, 8, (2560, 6))
    bump = 120 * sum((np.exp(-((stamps - t) ** 2) / 2 / 0.06**2) for t in at), np.zeros(2560))
    values[:, :2] += bump[:, None]
    values[:, 2:] += bump[:, None] * (1.0 if everywhere else 0.1)
    return stamps, values


def test_blinks_are_seen_when_they_were_made() -> None:
    stamps, values = eeg(at=(502.0, 504.5, 508.0))
    front = frontal(["Fp1", "Fp2", "Cz", "Pz", "O1", "O2"])
    assert front == [0, 1]
    np.testing.assert_allclose(blinks(stamps, values, 256, front=front), [502.0, 504.5, 508.0], atol=0.05)
    np.testing.assert_allclose(blinks(stamps, -values, 256, front=front), [502.0, 504.5, 508.0], atol=0.05)


def test_a_bump_of_the_table_and_a_cap_on_it_are_no_blinks() -> None:
    stamps, values = eeg(at=(502.0, 505.0), everywhere=True)
    assert len(blinks(stamps, values, 256, front=[0, 1])) == 0
    stamps, values = eeg(at=())
    assert len(blinks(stamps, values, 256, front=[0, 1])) == 0
    assert len(blinks(stamps, values, 256, front=[])) == 0
    assert len(blinks(stamps[:9], values[:9], 256, front=[0, 1])) == 0
