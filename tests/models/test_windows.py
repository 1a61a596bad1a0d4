"""Windows: who may be used, which stretches of which clips, and the EEG behind them."""

import json
import re
from pathlib import Path

import mne
import numpy as np
import pytest

from models import dataset
from models.bids import BidsError, RecordingFiles, data_digest, emotions, find_recordings
from models.eeg import inputs, recording
from models.eeg.scalp_map import CHANNELS
from models.windows import WINDOW_S, Rules, Window, label_of, read_events, spans
from tests.models import bids_root
from tests.models.bids_root import EMOTIONS, SFREQ


def one(root: Path) -> RecordingFiles:
    return find_recordings(root)[0]


def clip(onset: float, duration: float = 6.0, emotion: str = "fear", **more: object) -> dict[str, object]:
    return {"onset": onset, "duration": duration, "trial_type": f"clip/{emotion}", "target": emotion, **more}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return bids_root.write_root(tmp_path / "bids", participants=["01"], clips_per_emotion=1)


class TestWhoMayBeUsed:
    def test_everybody_included_who_consents_to_training(self, tmp_path: Path) -> None:
        root = bids_root.write_root(tmp_path / "bids", participants=["01", "02", "03"], clips_per_emotion=1)
        bids_root.write_participants(
            root, [("01", "yes", "eeg+train"), ("02", "no", "eeg+train"), ("03", "yes", "eeg+face+share")]
        )
        (found,) = find_recordings(root)
        assert (found.participant, found.session, found.run) == ("01", "01", "01")
        assert found.scopes == {"eeg", "train"}

    def test_a_scope_that_only_begins_like_train_is_not_train(self, root: Path) -> None:
        bids_root.write_participants(root, [("01", "yes", "eeg+trainer")])
        with pytest.raises(BidsError, match=r"participants\.tsv: included, consent: of 1 participants none"):
            find_recordings(root)

    def test_a_session_that_its_scans_table_excludes_is_left_out(self, root: Path) -> None:
        name = "eeg/sub-01_ses-01_task-emotion_run-01_eeg.vhdr"
        (root / "sub-01/ses-01/sub-01_ses-01_scans.tsv").write_text(f"filename\tincluded\n{name}\tno\n")
        with pytest.raises(BidsError, match="none is included"):
            find_recordings(root)

    def test_a_folder_that_is_no_bids_root_is_refused_with_the_cure(self, tmp_path: Path) -> None:
        with pytest.raises(BidsError, match=r"no dataset_description\.json.*emo-export"):
            find_recordings(tmp_path)

    def test_a_table_without_consent_is_refused(self, root: Path) -> None:
        (root / "participants.tsv").write_text("participant_id\tincluded\nsub-01\tyes\n")
        with pytest.raises(BidsError, match=r"participants\.tsv: consent: no such column"):
            find_recordings(root)

    def test_the_digest_of_the_data_changes_with_one_byte(self, root: Path) -> None:
        before = data_digest([one(root)])
        path = one(root).eeg.with_suffix(".eeg")
        path.write_bytes(path.read_bytes()[:-1] + b"\x07")
        assert data_digest([one(root)]) != before


class TestCutting:
    def test_windows_follow_each_other_from_the_onset(self) -> None:
        assert spans(2.0, 10.0) == [(2.0, 5.0), (5.0, 8.0), (8.0, 11.0)]

    def test_the_central_window_has_as_much_before_as_after(self) -> None:
        assert spans(2.0, 10.0, where="central") == [(5.5, 8.5)]

    @pytest.mark.parametrize("where", ["all", "central"])
    def test_a_clip_shorter_than_a_window_has_none(self, where: str) -> None:
        assert spans(2.0, 2.9, where=where) == []  # type: ignore[arg-type]

    def test_starts_lie_on_the_200_hz_grid(self) -> None:
        ((start, stop),) = spans(1.00123, 3.0)
        assert start * 200 == pytest.approx(200) and stop - start == WINDOW_S

    def test_windows_that_touch_a_gap_are_dropped_and_counted_by_emotion(self, root: Path) -> None:
        files = one(root)
        gap = {"onset": 14.5, "duration": 0.01, "trial_type": "BAD_gap"}
        bids_root.write_events(files.sibling("_events.tsv"), [clip(2.0, 6.0), clip(10.0, 6.0, "sadness"), gap])
        events = read_events(files)
        assert [window.t0_s for window in events.windows] == [2.0, 5.0, 10.0]
        assert events.dropped == {("gap", "sadness"): 1}

    @pytest.mark.parametrize(("at", "n_left"), [(4.99, 1), (5.0, 0), (7.99, 1), (8.01, 2)])
    def test_a_gap_at_the_seam_drops_what_it_touches(self, root: Path, at: float, n_left: int) -> None:
        files = one(root)
        bids_root.write_events(
            files.sibling("_events.tsv"), [clip(2.0), {"onset": at, "duration": 0.0, "trial_type": "BAD_gap"}]
        )
        assert len(read_events(files).windows) == n_left

    def test_clips_that_did_not_end_and_windows_beyond_the_recording_are_counted(self, root: Path) -> None:
        files = one(root)
        bids_root.write_events(files.sibling("_events.tsv"), [clip(2.0, end="interrupted"), clip(10.0, 6.0, end="complete")])
        events = read_events(files, stop_s=15.0)
        assert [window.t0_s for window in events.windows] == [10.0]
        assert events.dropped == {("clip interrupted", "fear"): 1, ("beyond the recording", "fear"): 1}

    def test_windows_of_the_first_seconds_are_dropped_and_counted_where_asked_for(self, root: Path) -> None:
        files = one(root)
        bids_root.write_events(files.sibling("_events.tsv"), [clip(2.0, 9.0), clip(20.0, 6.0, "sadness")])
        events = read_events(files, rules=Rules(onset_skip_s=2.0))
        assert [window.t0_s for window in events.windows] == [5.0, 8.0, 23.0]
        assert [window.since_onset_s for window in events.windows] == [3.0, 6.0, 3.0]
        assert events.dropped == {("first 2 s", "fear"): 1, ("first 2 s", "sadness"): 1}

    def test_the_seconds_that_the_study_skips_travel_with_the_recording_and_an_own_wish_wins(self, root: Path) -> None:
        files = one(root)
        bids_root.write_events(files.sibling("_events.tsv"), [clip(2.0, 9.0)])
        sidecar = files.sibling("_eeg.json")
        sidecar.write_text(json.dumps({**json.loads(sidecar.read_text()), "OnsetSkip": 2.0}))
        assert [window.t0_s for window in read_events(files).windows] == [5.0, 8.0]
        assert [window.t0_s for window in read_events(files, rules=Rules(onset_skip_s=0.0)).windows] == [2.0, 5.0, 8.0]
        assert [window.t0_s for window in read_events(files, rules=Rules(onset_skip_s=4.0)).windows] == [8.0]
        sidecar.write_text(json.dumps({"OnsetSkip": "two"}))
        with pytest.raises(BidsError, match="OnsetSkip = 'two'"):
            read_events(files)

    def test_clips_of_which_people_looked_away_are_kept_or_left_out(self, root: Path) -> None:
        files = one(root)
        path = files.sibling("_events.tsv")
        rows = [clip(2.0, 3.0, looked_away="yes"), clip(10.0, 3.0, looked_away="no"), clip(20.0, 3.0)]
        columns = (*bids_root.EVENT_COLUMNS, "looked_away")
        lines = ["\t".join(columns), *("\t".join(str(row.get(name, "n/a")) for name in columns) for row in rows)]
        path.write_text("\n".join(lines) + "\n")
        assert len(read_events(files).windows) == 3
        kept = read_events(files, rules=Rules(looked_away="leave out"))
        assert [window.t0_s for window in kept.windows] == [10.0, 20.0]
        assert kept.dropped == {("looked away", "fear"): 1}

    def test_a_rest_with_a_target_is_learnt_like_a_clip_and_one_without_is_none(self, root: Path) -> None:
        files = one(root)
        rest = {"onset": 10.0, "duration": 3.0, "trial_type": "rest/neutral", "trial": 4}
        bids_root.write_events(
            files.sibling("_events.tsv"),
            [
                clip(2.0, 3.0),
                rest | {"target": "neutral"},
                rest | {"onset": 20.0},
                rest | {"target": "neutral", "end": "skipped"},
            ],
        )
        events = read_events(files)
        assert [(window.t0_s, window.target, window.trial) for window in events.windows][1] == (10.0, "neutral", 4)
        assert [(window.shown, window.stimulus) for window in events.windows] == [("clip", "n/a"), ("rest", "rest/neutral")]
        assert len(events.windows) == 2 and events.dropped == {("rest skipped", "neutral"): 1}

    def test_a_clip_that_was_shown_again_counts_once(self, root: Path) -> None:
        files = one(root)
        rows = [clip(2.0, 3.0, trial=1, end="repeated"), clip(10.0, 3.0, trial=1, end="interrupted"), clip(20.0, 3.0, trial=1)]
        bids_root.write_events(files.sibling("_events.tsv"), rows)
        assert [window.t0_s for window in read_events(files).windows] == [20.0]

    @pytest.mark.parametrize("key", ["onset_skip_s", "artefact_uv"])
    def test_a_rule_that_is_no_length_is_refused(self, key: str) -> None:
        with pytest.raises(BidsError, match=f"{key} = -1: must be 0 or more"):
            Rules(**{key: -1})

    def test_a_window_carries_its_trial_stimulus_and_both_labels(self, root: Path) -> None:
        files = one(root)
        bids_root.write_events(files.sibling("_events.tsv"), [clip(2.0, 3.0, trial=7, stim_id="fear02", rating="sadness")])
        (window,) = read_events(files).windows
        assert (window.trial, window.stim_id, window.target, window.rating) == (7, "fear02", "fear", "sadness")
        assert window.clip == ("01", "01", "01", 7)

    def test_an_onset_that_is_no_number_is_named(self, root: Path) -> None:
        files = one(root)
        bids_root.write_events(files.sibling("_events.tsv"), [clip(2.0) | {"onset": "soon"}])
        with pytest.raises(BidsError, match=r"events\.tsv: could not convert string to float: 'soon'"):
            read_events(files)


@pytest.mark.parametrize(
    ("rating", "expected"),
    [("fear", ("fear", "fear", "fear")), ("other", ("fear", "other", None)), (None, ("fear", None, None))],
)
def test_the_label_is_norm_report_or_where_both_agree(rating: str | None, expected: tuple[str | None, ...]) -> None:
    window = Window(
        participant="01", session="01", run="01", trial=1, stim_id="a", target="fear", rating=rating, t0_s=0.0, t1_s=3.0
    )
    assert tuple(label_of(window, kind) for kind in ("target", "rating", "agreeing")) == expected  # type: ignore[arg-type]


def test_emotions_stand_in_the_order_of_the_study_and_unknown_ones_follow(root: Path) -> None:
    assert emotions([one(root)], ["fear", "other", "happiness"]) == ("happiness", "fear", "other")


class TestEeg:
    def test_a_sine_keeps_its_frequency_amplitude_and_time_at_200_hz(self, root: Path) -> None:
        seconds = np.arange(round(20 * SFREQ)) / SFREQ
        eeg = np.tile(50 * np.sin(2 * np.pi * 10 * seconds), (28, 1)) + 4200  # a headset's offset
        bids_root.write_recording(root, "01", eeg, [clip(2.0)])
        found = recording.load(one(root))
        assert found.eeg.shape == (28, 4000)
        assert found.line_freq == 50
        middle = slice(400, 3600)
        expected = 50 * np.sin(2 * np.pi * 10 * np.arange(4000) / 200)
        np.testing.assert_allclose(found.eeg[3, middle], expected[middle], atol=0.3)

    def test_bad_absent_and_flat_channels_are_interpolated_and_named(self, root: Path) -> None:
        # one smooth wave over the head: its neighbours know what a missing channel would have shown
        rng = np.random.default_rng(0)
        wave = np.cumsum(rng.standard_normal(round(10 * SFREQ)))
        eeg = np.outer(np.linspace(1, 2, 28), wave)
        eeg[CHANNELS.index("Cz")] = 5.0
        eeg[CHANNELS.index("P3")] = rng.standard_normal(eeg.shape[1]) * 1000
        names = [name for name in CHANNELS if name != "F3"]
        bids_root.write_recording(
            root, "01", eeg[[CHANNELS.index(name) for name in names]], [clip(2.0)], names=names, bad=["P3"]
        )
        found = recording.load(one(root))
        assert found.interpolated == ("F3", "Cz", "P3")
        for name in found.interpolated:
            assert np.corrcoef(found.eeg[CHANNELS.index(name)], found.eeg[CHANNELS.index("Fz")])[0, 1] > 0.98

    def test_channels_are_found_by_name_in_any_order_among_others(self, root: Path) -> None:
        rng = np.random.default_rng(0)
        names = ["FT9", *reversed(CHANNELS)]
        eeg = rng.standard_normal((29, round(10 * SFREQ)))
        bids_root.write_recording(root, "01", eeg, [clip(2.0)], names=names, bad=["FT9"], sfreq=200.0)
        found = recording.load(one(root))
        assert found.interpolated == ()
        np.testing.assert_allclose(found.eeg[0], eeg[-1] - eeg[-1].mean(), atol=1e-3)

    @pytest.mark.parametrize(("units", "system"), [("m", "CapTrak"), ("mm", "CTF")])
    def test_another_montage_is_placed_by_its_electrodes(self, root: Path, units: str, system: str) -> None:
        # a net of 100 with names of its own, over a field that falls from the nose to the back of the head
        places = fibonacci(100)
        rng = np.random.default_rng(0)
        wave = rng.standard_normal(round(10 * SFREQ)) * 20
        names = [f"E{index + 1}" for index in range(len(places))]
        header = bids_root.write_recording(root, "01", np.outer(1 + places[:, 1], wave), [clip(2.0)], names=names)
        scale = {"m": 0.09, "mm": 90.0}[units]
        stored = places * scale + [0.0, 0.01 * scale, 0.03 * scale]  # nobody's head is at the origin
        if system == "CTF":  # x to the nose, y to the left
            stored = np.column_stack([stored[:, 1], -stored[:, 0], stored[:, 2]])
        stem = header.name.rpartition("_task-")[0]
        lines = ["name\tx\ty\tz", *("\t".join([name, *map(str, xyz)]) for name, xyz in zip(names, stored, strict=True))]
        (header.parent / f"{stem}_electrodes.tsv").write_text("\n".join([*lines, "Ref\tn/a\tn/a\tn/a"]) + "\n")
        (header.parent / f"{stem}_coordsystem.json").write_text(
            json.dumps({"EEGCoordinateSystem": system, "EEGCoordinateUnits": units})
        )
        found = recording.load(one(root))
        assert found.interpolated == (), "an electrode is near to every site"
        power = found.eeg.std(axis=1)
        front, middle, back = (power[CHANNELS.index(name)] for name in ("Fp1", "Cz", "O1"))
        assert front > 1.3 * middle and middle > 1.3 * back
        assert power[CHANNELS.index("T7")] == pytest.approx(power[CHANNELS.index("T8")], rel=0.1)

    def test_other_names_without_places_are_refused(self, root: Path) -> None:
        eeg = np.random.default_rng(0).standard_normal((100, 2560))
        bids_root.write_recording(root, "01", eeg, [clip(2.0)], names=[f"E{index}" for index in range(100)])
        with pytest.raises(BidsError, match=r"channels\.tsv: status: 0 of the map's 28 channels are good"):
            recording.load(one(root))

    def test_with_fewer_than_14_good_channels_a_recording_is_refused(self, root: Path) -> None:
        eeg = np.random.default_rng(0).standard_normal((28, 2560))
        bids_root.write_recording(root, "01", eeg, [clip(2.0)], bad=CHANNELS[:15])
        with pytest.raises(BidsError, match=r"channels\.tsv: status: 13 of the map's 28 channels are good, 14 are needed"):
            recording.load(one(root))

    def test_lost_stretches_are_bridged_so_that_what_stands_in_them_does_not_matter(self, root: Path) -> None:
        rng = np.random.default_rng(0)
        eeg = rng.standard_normal((28, 2560))
        gap = {"onset": 4.0, "duration": 1.0, "trial_type": "BAD_gap"}
        loaded = []
        for filler in (0.0, 4200.0, np.nan):
            eeg[:, 1024:1281] = filler
            bids_root.write_recording(root, "01", eeg, [clip(6.0, 3.0), gap])
            loaded.append(recording.load(one(root)))
        np.testing.assert_array_equal(loaded[0].eeg, loaded[1].eeg)
        np.testing.assert_array_equal(loaded[0].eeg, loaded[2].eeg)
        assert not loaded[0].valid[805:995].any() and loaded[0].valid[:790].all() and loaded[0].valid[1010:].all()

    @pytest.mark.parametrize("said", ["0", "-50", "100", "200", "NaN", "true", '"50 Hz"'])
    def test_mains_that_cannot_be_are_refused_with_file_key_and_value(self, root: Path, said: str) -> None:
        path = one(root).sibling("_eeg.json")
        path.write_text(f'{{"PowerLineFrequency": {said}}}')
        value = re.escape(repr(json.loads(said)))
        with pytest.raises(
            BidsError, match=rf"_eeg\.json: PowerLineFrequency = {value}: .* below 100 Hz; write 50 or 60, or n/a"
        ):
            recording.load(one(root))

    @pytest.mark.parametrize(("said", "expected"), [("60", 60.0), ("49.9", 49.9), ('"n/a"', None)])
    def test_mains_that_can_be_are_believed(self, root: Path, said: str, expected: float | None) -> None:
        one(root).sibling("_eeg.json").write_text(f'{{"PowerLineFrequency": {said}}}')
        assert recording.load(one(root)).line_freq == expected

    def test_a_missing_data_file_is_one_line(self, root: Path) -> None:
        one(root).eeg.with_suffix(".eeg").unlink()
        with pytest.raises(BidsError, match=r"_eeg\.vhdr: cannot be read \(.*export the recording again"):
            recording.load(one(root))


def fibonacci(n: int) -> np.ndarray:
    """Return points spread evenly over the upper two thirds of a unit sphere, shape (n, 3)."""
    z = np.linspace(1, -0.4, n)
    turn = np.pi * (3 - 5**0.5) * np.arange(n)
    return np.column_stack([np.sqrt(1 - z**2) * np.cos(turn), np.sqrt(1 - z**2) * np.sin(turn), z])


class TestArtefacts:
    def write(self, root: Path, bad: str = "Cz", *, marked: bool = False) -> None:
        """Two clips; in the second one an electrode is touched."""
        rng = np.random.default_rng(0)
        eeg = rng.standard_normal((28, round(30 * SFREQ))) * 10
        at = np.arange(round(13 * SFREQ), round(14 * SFREQ))
        eeg[CHANNELS.index(bad), at] += 2000 * np.sin(2 * np.pi * 8 * at / SFREQ)
        events = [clip(2.0, 3.0), clip(12.0, 3.0, "sadness"), clip(20.0, 3.0, "sadness")]
        bids_root.write_recording(root, "01", eeg, events, bad=[bad] if marked else [])

    def load(self, root: Path, **rules: float) -> dataset.Dataset:
        return dataset.load([one(root)], eeg=["pool96"], rules=Rules(**rules))  # type: ignore[arg-type]

    def test_windows_that_swing_beyond_the_limit_are_dropped_and_counted(self, root: Path) -> None:
        self.write(root)
        data = self.load(root)
        assert [window.t0_s for window in data.windows] == [2.0, 20.0]
        assert data.dropped == {("artefact of more than 500 uV", "sadness"): 1}
        assert data.eeg["pool96"].shape == (2, 28, 96)

    def test_another_limit_or_none_keeps_them(self, root: Path) -> None:
        self.write(root)
        assert len(self.load(root, artefact_uv=10_000).windows) == len(self.load(root, artefact_uv=0).windows) == 3

    def test_a_channel_that_is_not_used_does_not_count(self, root: Path) -> None:
        self.write(root, marked=True)
        data = self.load(root)
        assert len(data.windows) == 3
        assert data.interpolated == {"sub-01_ses-01_task-emotion_run-01": ("Cz",)}


@pytest.mark.parametrize("sfreq", [128.0, 250.0, 500.0, 512.0])
def test_any_rate_gives_the_same_pictures(root: Path, sfreq: float) -> None:
    seconds = np.arange(round(12 * sfreq)) / sfreq
    eeg = np.tile(50 * np.sin(2 * np.pi * 10 * seconds), (28, 1)) * np.linspace(1, 2, 28)[:, None]
    bids_root.write_recording(root, "01", eeg, [clip(3.0, 6.0)], sfreq=sfreq)
    found = inputs._Signal(recording.load(one(root)), (3.0, 6.0)).windows()
    expected = 50 * np.sin(2 * np.pi * 10 * (3 + np.arange(600) / 200))
    assert found.shape == (2, 28, 600)
    assert np.abs(found[0, 0] - expected).max() < 2.0


def test_the_small_root_is_what_mne_reads(root: Path) -> None:
    raw = mne.io.read_raw(one(root).eeg, verbose="ERROR")
    assert raw.ch_names == list(CHANNELS) and len(EMOTIONS) == len(read_events(one(root)).windows)
