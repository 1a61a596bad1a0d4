"""Measures with known answers: what is planted is what stands in the report."""

import string
from dataclasses import replace
from pathlib import Path

import mne
import numpy as np
import pytest
from scipy import signal

from bids_export.alignment import Gap
from bids_export.events import Event
from bids_export.report import bads, bands, cued, glance, group, measures, signals, verdict, words
from bids_export.report.facts import Clip, Faces, Facts, Film, Signals
from bids_export.report.measures import Measures
from collector import phrases
from protocol.folder import Quality

SFREQ = 256.0
LABELS = ("Fp1", "Fp2", "F3", "F4", "C3", "C4", "P3", "P4", "O1", "Oz", "O2", "Pz")
PLACES = mne.channels.make_standard_montage("colin27_1020").get_positions()["ch_pos"]
KEPT = Quality(
    metric="CQ", over="recording", threshold=0.8, value=0.95, coverage=1.0, n=100, per_sensor={}, verdict="keep", reason=""
)


def brain(seconds: float, *, seed: int = 0, labels: tuple[str, ...] = LABELS) -> np.ndarray:
    """Return volts, shape (n_channels, n_times): 10 microvolts of pink noise that all share, and some of their own."""
    rng, n = np.random.default_rng(seed), round(seconds * SFREQ)
    freqs = np.fft.rfftfreq(n, 1 / SFREQ)
    fall = 1 / np.sqrt(np.maximum(freqs, 1.0))
    shared, *own = (np.fft.irfft(np.fft.rfft(rng.normal(size=n)) * fall, n) for _ in range(len(labels) + 1))
    both = np.array([shared + 0.5 * mine for mine in own])
    return both / both.std() * 10e-6


def eeg(volts: np.ndarray, *, filled: tuple[Gap, ...] = (), labels: tuple[str, ...] = LABELS) -> Signals:
    return Signals(
        labels=labels, volts=volts, sfreq=SFREQ, sfreq_measured=SFREQ, filled=filled, n_lost=sum(g.n for g in filled),
        analysed=labels, positions={label: tuple(PLACES[label]) for label in labels},
    )  # fmt: skip


def facts(volts: np.ndarray | None = None, *, events: tuple[Event, ...] = (), filled: tuple[Gap, ...] = (), **more) -> Facts:
    made = eeg(brain(10.0) if volts is None else volts, filled=filled)
    return replace(
        Facts(
            source="run", study="s", task="t", participant="01", session="01", run="01", simulated=True, began="",
            end="complete", end_reason="", scopes=("eeg", "face"), emotions={"fear": "#CC79A7", "joy": "#E69F00"},
            line_freq=50, quality=KEPT, judged=(), signals=made, contact=None, events=events, clips=(), films=(),
            expects_film=False,
        ),
        **more,
    )  # fmt: skip


def baseline(kind: str, onset: float, duration: float) -> Event:
    return Event(onset=onset, duration=duration, trial_type=f"baseline/{kind}")


# ---- channels ----------------------------------------------------------------------------------------------------------------


def test_each_kind_of_bad_channel_is_found_and_no_other() -> None:
    volts, rng = brain(60.0), np.random.default_rng(5)
    volts[2] *= 12
    volts[4] *= 0.05
    volts[6] = rng.permutation(volts[6])
    noise = signal.sosfilt(signal.butter(4, 55, "highpass", fs=SFREQ, output="sos"), rng.normal(size=volts.shape[1]))
    volts[8] += 15e-6 * noise
    found = bads.find(volts, SFREQ, [], LABELS)
    assert found["F3"] == ("loud",)
    assert found["C3"] == ("quiet",)
    assert "alone" in found["P3"]
    assert "noisy" in found["O1"]
    assert set(found) == {"F3", "C3", "P3", "O1"}


def test_a_whole_headset_has_no_bad_channel_and_few_channels_are_not_compared() -> None:
    volts = brain(60.0)
    assert bads.find(volts, SFREQ, [], LABELS) == {}
    volts[1] *= 50
    assert bads.find(volts[:4], SFREQ, [], LABELS[:4]) == {}


def test_mains_in_one_channel_do_not_make_it_unlike_the_others() -> None:
    volts = brain(60.0)
    volts[3] += 60e-6 * np.sin(2 * np.pi * 50 * np.arange(volts.shape[1]) / SFREQ)
    assert bads.find(volts, SFREQ, [], LABELS, line_freq=50) == {}
    assert "F4" in bads.find(volts, SFREQ, [], LABELS)  # and it would


def test_a_flat_channel_is_bad_on_the_page_and_does_not_make_others_so() -> None:
    volts = brain(60.0)
    volts[5] = 4.2e-3
    measured = measures.measure(facts(volts)).eeg
    assert measured is not None
    assert (measured.flat_channels, measured.bad_channels) == (("C4",), ("C4",))


def test_pyprep_finds_the_same_where_it_is_installed() -> None:
    pytest.importorskip("pyprep", reason="pyprep is an extra: pip install emolab[report]")
    volts = brain(60.0)
    volts[2] *= 12
    volts[6] = np.random.default_rng(5).permutation(volts[6])
    found = bads.find_by_pyprep(volts, SFREQ, [], LABELS, {label: tuple(PLACES[label]) for label in LABELS})
    assert "deviation" in found["F3"]
    assert "correlation" in found["P3"]


# ---- spectra -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1.0, 2.0, 4.0])
def test_alpha_that_is_so_many_times_stronger_with_closed_eyes_is_measured_so(times: float) -> None:
    volts = brain(70.0) * 0.1
    t = np.arange(volts.shape[1]) / SFREQ
    amplitude = np.where(t < 35, 20e-6, 20e-6 * np.sqrt(times))
    volts += amplitude * np.sin(2 * np.pi * 10.0 * t)
    events = (baseline("eyes_open", 2.0, 30.0), baseline("eyes_closed", 37.0, 30.0))
    measured = measures.measure(facts(volts, events=events)).eeg
    assert measured is not None and measured.alpha is not None
    assert measured.alpha.ratio == pytest.approx(times, rel=0.02)
    assert measured.alpha.channels == ("P3", "P4", "O1", "Oz", "O2", "Pz")
    assert measured.alpha.open_uv2 == pytest.approx(20**2 / 2, rel=0.1)


def test_without_closed_eyes_no_ratio_is_claimed() -> None:
    measured = measures.measure(facts(brain(40.0), events=(baseline("eyes_open", 2.0, 30.0),))).eeg
    assert measured is not None and measured.alpha is None


def test_alpha_over_a_gap_is_that_of_what_was_measured() -> None:
    volts = brain(70.0) * 0.1 + 20e-6 * np.sin(2 * np.pi * 10.0 * np.arange(round(70 * SFREQ)) / SFREQ)
    gap = Gap(round(40 * SFREQ), round(10 * SFREQ))
    volts[:, gap.first : gap.first + gap.n] = 0.0
    told = bands.alpha(volts, SFREQ, [gap], opened=[(2.0, 32.0)], closed=[(35.0, 65.0)])
    assert np.median(told[1] / told[0]) == pytest.approx(1.0, rel=0.02)
    blind = bands.alpha(volts, SFREQ, [], opened=[(2.0, 32.0)], closed=[(35.0, 65.0)])
    assert np.median(blind[1] / blind[0]) < 0.8  # and it would matter


def passed(volts: np.ndarray) -> tuple[float | None, float | None]:
    freqs, density = signals.spectra(volts, SFREQ, [])
    return bands.passed(freqs, np.median(density, axis=0), 50.0)


def test_the_headsets_filter_is_found_where_it_is_and_none_where_there_is_none() -> None:
    volts = brain(120.0)
    assert passed(volts) == (None, 1.0)
    for corner in (38.0, 43.0):
        edge, share = passed(signal.sosfiltfilt(signal.butter(10, corner, fs=SFREQ, output="sos"), volts, axis=1))
        assert edge == pytest.approx(corner, abs=2.0)
        assert share == pytest.approx((corner - 31) / 16.5, abs=0.12)  # 31 to 47.5 Hz is looked at: the mains are left out


def test_a_notch_at_the_mains_is_not_the_end_of_the_signal() -> None:
    volts = signal.filtfilt(*signal.iirnotch(50, 30, fs=SFREQ), brain(120.0), axis=1)
    assert passed(volts) == (None, 1.0)


# ---- blinks ------------------------------------------------------------------------------------------------------------------


def test_cues_that_were_answered_are_counted_and_timed() -> None:
    volts, cues = brain(60.0), np.arange(5.0, 55.0, 4.0)
    t = np.arange(volts.shape[1]) / SFREQ
    for n, cue in enumerate(cues.tolist()):
        if n not in (3, 7):
            volts[:2] += 150e-6 * np.exp(-0.5 * ((t - cue - 0.4) / 0.06) ** 2)
    found = cued.blinks(eeg(volts), cues)
    assert found is not None
    assert np.flatnonzero(np.isnan(found.answers_s)).tolist() == [3, 7]
    assert np.nanmedian(found.answers_s) == pytest.approx(0.4, abs=0.02)
    assert found.channels == ("Fp1", "Fp2")
    events = tuple(Event(onset=cue, duration=0.0, trial_type="sync/cue") for cue in cues.tolist())
    said = measures.measure(facts(volts, events=events)).eeg
    assert said is not None and said.blinks is not None
    assert (said.blinks.n_cues, said.blinks.n_seen) == (13, 11)


# ---- camera ------------------------------------------------------------------------------------------------------------------


def film(onsets: np.ndarray, *, grey: float = 120.0, clipped: float = 0.0) -> Film:
    looked = Faces(
        onsets=onsets[:4], found=np.ones(4, dtype=np.bool_), brightness=np.full(4, grey), clipped=np.full(4, clipped)
    )  # fmt: skip
    return Film(name="face.mkv", n_frames=len(onsets), onsets=onsets, faces=looked)


def test_seven_late_frames_are_seven() -> None:
    onsets = np.arange(900) / 30.0
    onsets[[50, 111, 222, 333, 444, 555, 666]] += 0.9 / 30  # each comes nearly a period late; the next one is on time
    [video] = measures.measure(facts(films=(film(onsets),))).videos
    assert video.n_late == 7
    assert video.fps == pytest.approx(30.0)
    assert video.longest_gap_s == pytest.approx(1.9 / 30)


def test_findings_are_said_in_both_languages_with_the_same_values() -> None:
    def named(text: str) -> set[str]:
        return {field for _, field, _, _ in string.Formatter().parse(text) if field}

    english, vietnamese = words.WORDS["en"], words.WORDS["vi"]
    assert english.keys() == vietnamese.keys()
    assert [code for code in english if named(english[code]) != named(vietnamese[code])] == []
    first, second = film(np.arange(100) / 10.0, grey=20), film(14.0 + np.arange(100) / 10.0)
    known = facts(films=(first, second))
    measured = measures.measure(known)
    found = verdict.findings(known, measured.eeg, measured.clips, measured.videos)
    assert tuple(found) == measured.findings
    said = [phrases.said(one, "vi") for one in found]
    assert "camera đã vắng 4,1 s" in said
    assert "khuôn mặt quá tối (mức xám 20)" in said
    assert not set(said) & set(found)


def test_a_camera_that_was_away_is_a_finding() -> None:
    first, second = np.arange(100) / 10.0, 14.0 + np.arange(100) / 10.0
    said = measures.measure(facts(films=(film(first), film(second)))).findings
    assert "the camera was away for 4.1 s" in said


@pytest.mark.parametrize(
    ("grey", "clipped", "said"), [(20, 0.0, "too dark"), (240, 0.0, "too bright"), (120, 0.5, "50% of the face")]
)
def test_an_exposure_that_shows_no_face_is_a_finding(grey: float, clipped: float, said: str) -> None:
    shown = film(np.arange(100) / 10.0, grey=grey, clipped=clipped)
    assert any(said in finding for finding in measures.measure(facts(films=(shown,))).findings)
    fine = measures.measure(facts(films=(film(np.arange(100) / 10.0),)))
    assert not any("face" in finding for finding in fine.findings)


# ---- answers -----------------------------------------------------------------------------------------------------------------


def clip(trial: int, target: str, felt: str | None, *, valence: int = 5, end: str = "complete") -> Clip:
    event = Event(
        onset=10.0 * trial, duration=4.0, trial_type=f"clip/{target}", trial=trial, stim_id=f"{target}01", target=target,
        rating=felt, valence=valence, arousal=5, end=end,
    )  # fmt: skip
    return Clip(event=event)


def answered(*clips: Clip, participant: str = "01") -> Measures:
    told = facts(clips=clips, events=tuple(one.event for one in clips), participant=participant)
    return measures.measure(told)


def test_a_clip_is_rated_against_its_target() -> None:
    said = answered(clip(1, "fear", "fear", valence=2), clip(2, "fear", "joy"), clip(3, "joy", None))
    assert (said.ratings.n_rated, said.ratings.n_asked, said.ratings.n_as_target) == (3, 2, 1)
    first = said.ratings.clips[0]
    assert (first.stim_id, first.target, first.felt, first.valence) == ("fear01", "fear", "fear", 2)


def test_a_group_says_which_clip_did_not_do_what_it_was_chosen_for() -> None:
    people = [person(answered(clip(1, "fear", felt), clip(2, "joy", "joy"))) for felt in ("fear", "joy", "joy")]
    rows = group.by_clip(group.rated(people))
    assert rows == [("fear01", "fear", 1, 3, "joy (2)"), ("joy01", "joy", 3, 3, "")]


def person(measured: Measures) -> group.Person:
    return group.Person(
        label=measured.participant, quality=0.9, included=True, reason="", traits={}, recordings=(measured,)
    )  # fmt: skip


def test_small_numbers_get_wide_intervals() -> None:
    """Wilson (1927): 8 of 10 is 49 to 94 %."""
    assert group.interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert group.interval(0, 3)[1] > 0.5
    assert group.interval(0, 0) == (0.0, 1.0)


def test_a_bias_is_only_told_where_the_numbers_carry_it() -> None:
    assert "hardly by chance (p = 0.0002)" in group.biased({"M": (7, 7), "F": (0, 8)})
    assert "too few people" in group.biased({"M": (3, 3), "F": (0, 2)})
    assert "chance could do that" in group.biased({"M": (6, 8), "F": (5, 8)})


# ---- at a glance -------------------------------------------------------------------------------------------------------------


def test_tiles_say_by_sign_what_they_say_by_colour() -> None:
    volts = brain(60.0)
    volts[5] = 4.2e-3
    gap = Gap(5000, 512)
    tiles = {tile.name: tile for tile in glance.tiles(measures.measure(facts(volts, filled=(gap,))))}
    assert (tiles["bad channels"].value, tiles["bad channels"].state, tiles["bad channels"].more) == ("1 of 12", "look", "C4")
    assert (tiles["EEG measured"].value, tiles["EEG measured"].state) == ("96.67%", "look")
    assert (tiles["contact quality"].value, tiles["contact quality"].state) == ("95.0%", "good")
    low = facts(volts).quality.model_copy(update={"verdict": "exclude", "value": 0.4, "reason": "contact quality 40.00% .."})
    assert glance.contact(measures.measure(facts(volts, quality=low))).state == "bad"


def test_measures_survive_their_file(tmp_path: Path) -> None:
    said = answered(clip(1, "fear", "fear"))
    path = tmp_path / "sub-01_ses-01_task-t_run-01_report.json"
    path.write_text(said.model_dump_json(by_alias=True), encoding="utf-8")
    assert Measures.model_validate_json(path.read_bytes()) == said
