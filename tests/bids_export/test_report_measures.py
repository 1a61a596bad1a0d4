"""The measures of a recording: what was planted in a session folder is found, from the folder and from BIDS alike."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bids_export import dataset, sync
from bids_export.events import Event
from bids_export.report import faces, from_bids, from_run, measures, verdict
from bids_export.report.facts import Faces, Facts
from bids_export.report.measures import Measures
from collector.twin.portrait import Portrait
from collector.twin.timeline import State
from collector.video import VideoWriter
from protocol.folder import Run
from protocol.trials import TrialRow, TrialTable
from tests.bids_export import lab

STUDY = lab.STUDY.replace("[eeg]", "[eeg]\nline_freq = 50")
EEG_UV = lab.eeg_uv


def planted(truth: lab.Truth, index: np.ndarray) -> np.ndarray:
    """12 microvolts of mains in Cz, nothing at all in Fz."""
    values = EEG_UV(truth, index)
    values[:, 0] += 12 * np.sin(2 * np.pi * 50 * index / truth.sfreq)
    values[:, 1] = 4200.0
    return values


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    truth = lab.Truth(duration_s=60.0, drift_ppm=200.0, lost=((5120, 256), (8000, 10)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lab, "eeg_uv", planted)
        return lab.record(tmp_path_factory.mktemp("lab") / "data", truth, text=STUDY)


@pytest.fixture(scope="module")
def facts(run: Run) -> Facts:
    return from_run.load(run.path)


@pytest.fixture(scope="module")
def measured(facts: Facts) -> Measures:
    return measures.measure(facts)


def test_a_planted_gap_is_measured(measured: Measures) -> None:
    eeg = measured.eeg
    assert eeg is not None
    assert (eeg.n_filled, eeg.n_lost, eeg.n_samples) == (266, 266, 15360)
    assert [(gap.onset_s, gap.duration_s) for gap in eeg.gaps] == [(20.0, 1.0), (31.25, 10 / 256)]
    assert "266 samples (1.04 s) in 2 gaps were not measured" in measured.findings


def test_planted_mains_and_a_flat_channel_are_measured(measured: Measures) -> None:
    assert measured.eeg is not None
    cz, fz, oz, ft9 = measured.eeg.channels
    assert (cz.label, cz.mains_uv) == ("Cz", pytest.approx(12.0, rel=0.02))
    assert oz.mains_uv == pytest.approx(0.0, abs=0.1)
    assert (fz.flat, cz.flat) == (1.0, 0.0)
    assert measured.eeg.flat_channels == ("Fz",)
    assert (ft9.label, ft9.analysed, measured.eeg.n_analysed) == ("FT9", False, 3)
    assert "flat for at least 50% of the time: Fz" in measured.findings


def test_the_rate_is_measured_on_the_recorders_clock(measured: Measures) -> None:
    assert measured.eeg is not None
    assert measured.eeg.sfreq_measured_hz == pytest.approx(256 / (1 + 200e-6), rel=2e-6)


def test_clips_frames_and_answers_are_counted(measured: Measures) -> None:
    assert (measured.clips.n, measured.clips.n_complete) == (2, 2)
    assert (measured.clips.frames_shown, measured.clips.frames_dropped) == (180, 2)
    assert "2 frames of clips came too late to be shown" in measured.findings
    said = measured.ratings
    assert (said.n_rated, said.n_asked, said.n_as_target) == (2, 2, 2)


def test_frames_of_the_camera_are_counted_in_the_file_and_in_the_stream(measured: Measures) -> None:
    [video] = measured.videos
    assert video.n_frames == video.n_rows == 299
    assert video.fps == pytest.approx(5.0, rel=1e-3)
    assert (video.n_sampled, video.n_with_face) == (60, 0)
    assert "a face was found in 0 of 60 sampled frames (0%)" in measured.findings


def test_frames_without_a_time_are_a_finding(facts: Facts) -> None:
    film = replace(facts.films[0], n_frames=facts.films[0].n_frames - 3)
    assert any("296 frames, but 299 frame times" in said for said in measures.measure(replace(facts, films=(film,))).findings)


def test_a_hole_in_the_video_is_a_finding(facts: Facts) -> None:
    film = facts.films[0]
    onsets = np.delete(film.onsets, slice(100, 110))
    measured = measures.measure(replace(facts, films=(replace(film, onsets=onsets, n_frames=len(onsets)),)))
    assert measured.videos[0].n_late == 1
    assert measured.videos[0].longest_gap_s == pytest.approx(2.2, abs=1e-3)
    assert "the camera missed up to 2.2 s" in measured.findings


def test_a_clip_that_was_felt_otherwise_is_not_as_meant(facts: Facts) -> None:
    first, second = facts.clips
    other = replace(first, event=replace(first.event, rating="sadness"))
    said = measures.measure(replace(facts, clips=(other, second))).ratings
    assert (said.n_asked, said.n_as_target) == (2, 1)


def test_what_the_trial_table_knows_of_a_clip_stands_beside_its_event(facts: Facts, tmp_path: Path) -> None:
    table = TrialTable(tmp_path / "trials.csv")
    row = TrialRow(
        participant="01", session="01", run="01", trial=1, block=1, stim_id="happiness01", target="happiness", repeated=4,
        onset_error_s=-0.04, audio_offset_s=1.18, end="complete",
    )  # fmt: skip
    table.append(row)
    clips = from_run.clips(facts.events, table.path)
    assert [(clip.repeated, clip.onset_error_s) for clip in clips] == [(4, -0.04), (None, None)]
    measured = measures.measure(replace(facts, clips=clips))
    assert measured.clips.onset_error_max_s == -0.04
    assert "a clip began -40 ms off its flip" in measured.findings
    assert "the sound of a clip began +1180 ms off its picture" in measured.findings
    punctual = measures.measure(replace(facts, clips=[replace(clip, audio_offset_s=-0.099) for clip in clips]))
    assert not any("sound" in finding for finding in punctual.findings)


def test_bids_says_the_same_as_the_folder(run: Run, measured: Measures, tmp_path: Path) -> None:
    dataset.export(run.data, tmp_path / "bids", dataset.Options())
    bids = from_bids.Dataset(tmp_path / "bids")
    [vhdr] = bids.recordings
    again = measures.measure(from_bids.load(bids, vhdr))
    assert again.eeg is not None and measured.eeg is not None
    assert again.eeg.gaps == measured.eeg.gaps
    assert (again.eeg.n_filled, again.eeg.n_lost, again.eeg.sfreq_measured_hz) == (266, None, None)
    for mine, theirs in zip(again.eeg.channels, measured.eeg.channels, strict=True):
        assert (mine.label, mine.analysed, mine.flat, mine.contact) == (
            theirs.label, theirs.analysed, theirs.flat, theirs.contact
        )  # fmt: skip
        assert mine.mains_uv == pytest.approx(theirs.mains_uv, rel=1e-3, abs=1e-3)
    assert (again.verdict, again.contact_quality.value) == (measured.verdict, pytest.approx(measured.contact_quality.value))
    assert again.contact_quality.coverage == measured.contact_quality.coverage == 1.0
    assert again.clips == measured.clips
    assert again.ratings == measured.ratings
    assert [(v.n_frames, v.n_rows, v.n_with_face) for v in again.videos] == [(299, 299, 0)]


def test_quality_that_ends_midway_is_not_judged_on_either_side(tmp_path: Path) -> None:
    """Judged are 2 to 35 s; readings end at 19.5 s and hold for 2 s more."""
    truth = lab.Truth(duration_s=40.0, quality_ends_s=20.0, clips=((6.0, 9.0, "happiness"), (32.0, 35.0, "sadness")), fps=0)
    run = lab.record(tmp_path / "data", truth)
    dataset.export(run.data, tmp_path / "bids", dataset.Options(include_excluded=True))
    bids = from_bids.Dataset(tmp_path / "bids")
    for facts in (from_run.load(run.path), from_bids.load(bids, bids.recordings[0])):
        measured = measures.measure(facts)
        assert measured.verdict == "not_judged"
        assert measured.reasons[0].startswith("contact quality readings cover 59.1% of the session")
        assert measured.contact_quality.coverage == pytest.approx(19.5 / 33, abs=0.01)


# ---- the verdict -------------------------------------------------------------------------------------------------------------


def test_the_verdict_is_the_rules(facts: Facts) -> None:
    assert verdict.judge(facts) == verdict.Verdict("keep", ("contact quality 95.00%, at least 80.00% is asked",))
    low = facts.quality.model_copy(update={"verdict": "exclude", "reason": "contact quality 79.99% is below 80.00%"})
    assert verdict.judge(replace(facts, quality=low)) == verdict.Verdict("exclude", ("contact quality 79.99% is below 80.00%",))
    none = facts.quality.model_copy(update={"verdict": "not_judged", "reason": "no contact quality reading was recorded"})
    assert verdict.judge(replace(facts, quality=none)) == verdict.Verdict(
        "not_judged", ("no contact quality reading was recorded",)
    )


def test_without_eeg_or_consent_to_it_nothing_is_kept(facts: Facts) -> None:
    assert verdict.judge(replace(facts, signals=None)).reasons == ("no EEG was recorded",)
    assert verdict.judge(replace(facts, scopes=("face",))) == verdict.Verdict("exclude", ("no consent to EEG",))


def test_trials_that_are_to_be_shown_again_and_an_aborted_session_have_the_words_of_the_operators_verdict(facts: Facts) -> None:
    shown = next(e for e in facts.events if e.trial is not None and e.trial_type.startswith("clip/"))
    cut = tuple(replace(e, end="aborted") if e is shown else e for e in facts.events)
    again = verdict.judge(replace(facts, events=cut))
    assert (again.verdict, again.repeat, again.reasons[1]) == ("repeat", (shown.trial,), f"repeat clip {shown.trial}")
    aborted = verdict.judge(replace(facts, events=cut, end="aborted", end_reason="operator"))
    assert (aborted.verdict, aborted.repeat) == ("aborted", (shown.trial,))
    assert aborted.reasons[0] == "the session was aborted: operator"
    low = facts.quality.model_copy(update={"verdict": "exclude", "reason": "contact quality 70.00% is below 80.00%"})
    assert (
        "exclude: contact quality 70.00% is below 80.00%" in verdict.judge(replace(facts, end="aborted", quality=low)).reasons
    )


def test_how_a_session_ended_is_a_finding(facts: Facts) -> None:
    aborted = measures.measure(replace(facts, end="aborted", end_reason="operator"))
    assert "the session was aborted: operator" in aborted.findings
    assert any("did not end as it should" in said for said in measures.measure(replace(facts, end="recovered")).findings)


def test_a_leg_that_was_measured_is_reported_with_every_word_of_its_sidecar(facts: Facts) -> None:
    ends = ((0.08, 0.12), (0.07, 0.13))
    leg = sync.Leg("screen-eeg", "photodiode", "", 0.1, 0.09, 0.11, 3.0, 10.0, 24, 22, 0.9, 0.002, ends_s=ends)
    said = sync.record(leg, "certificate")
    (told,) = measures.measure(replace(facts, sync={"screen-eeg": said})).sync
    assert {key: value for key, value in told.model_dump(mode="json").items() if key in said} == said
    assert (told.delay_s, told.interval95_at_start_s, told.interval95_at_end_s) == (0.1, *ends)


def test_poor_sensors_are_named_worst_first(facts: Facts) -> None:
    quality = facts.quality.model_copy(update={"per_sensor": {"Cz": 0.4, "Fz": 1.0, "Oz": 0.1}})
    said = measures.measure(replace(facts, quality=quality)).findings
    assert "contact below 50% in 2 of 3 sensors: Oz 10%, Cz 40%" in said


def test_without_consent_to_a_modality_nothing_of_it_is_read(tmp_path: Path) -> None:
    only_face = from_run.load(lab.record(tmp_path / "a", who=lab.Who(scopes=("face",))).path)
    assert only_face.signals is None and only_face.contact is None and only_face.quality.value is None
    only_eeg = from_run.load(lab.record(tmp_path / "b", who=lab.Who(scopes=("eeg",))).path)
    assert only_eeg.films == () and only_eeg.signals is not None
    assert "there is no face video" not in measures.measure(only_eeg).findings


# ---- faces -------------------------------------------------------------------------------------------------------------------


def test_a_face_is_found_where_one_is_shown(tmp_path: Path) -> None:
    portrait, path = Portrait(3, size_px=(320, 240)), tmp_path / "face.mkv"
    face = portrait.frame(0, 0.0, State("rest", since=0.0), cues=())
    blank = np.full_like(face, 90)
    with VideoWriter(path, (320, 240), 10.0) as video:
        pts = np.array([video.write(face if n < 30 else blank, n / 10) for n in range(40)])
    looked = faces.look(path, pts, pts + 100.0, n=20)
    assert isinstance(looked, Faces)
    assert len(looked.found) >= 8
    assert looked.found.tolist() == (looked.onsets < 103.0).tolist()


def event(trial: int, end: str, onset: float = 0.0) -> Event:
    return Event(onset=onset, duration=4.0, trial_type="clip/fear", trial=trial, stim_id="fear01", target="fear", end=end)


def test_clips_that_never_ended_as_planned_or_lost_much_of_their_eeg_are_to_be_repeated(facts: Facts) -> None:
    assert facts.signals is not None
    # the gap of one second at 20.0 s is a quarter of clip 3 and half of what is allowed to be lost of clip 4
    events = (
        event(1, "complete"), event(2, "interrupted", 6.0), event(2, "complete", 12.0), event(3, "complete", 18.0),
        replace(event(4, "repeated", 9.0), duration=2.0), replace(event(4, "complete", 19.5), duration=2.0),
        event(5, "skipped", 30.0), event(6, "repeated", 36.0),
    )  # fmt: skip
    told = replace(facts, events=events)
    assert verdict.to_repeat(told) == (4, 5)  # the run that goes on with this one showed clip 6 again
    assert verdict.to_repeat(replace(told, elsewhere=frozenset({5}))) == (4,)  # and clip 5, which was skipped here
    assert verdict.judge(told).repeat == (4, 5)
    assert verdict.judge(told).reasons[-1] == "repeat clips 4, 5"


def test_the_certificate_is_told_and_what_was_asked_for_and_not_found_is_a_finding(facts: Facts, measured: Measures) -> None:
    assert [(leg.leg, leg.estimable) for leg in measured.sync] == [
        ("screen-camera", False), ("camera-eeg", False), ("screen-eeg", False)
    ]  # fmt: skip
    assert measured.sync[1].reason == "nobody was asked to blink"
    assert not any("sync" in finding for finding in measured.findings)
    cue = Event(onset=1.0, duration=0.0, trial_type="sync/cue")
    asked = measures.measure(replace(facts, events=(*facts.events, cue)))
    assert any(finding.startswith("sync camera to eeg: not estimable") for finding in asked.findings)


def test_the_transport_latency_is_measured_by_the_headsets_own_clock(facts: Facts) -> None:
    # the made-up headset stamps birth on the LSL clock: no wall clock of ours, so nothing is claimed
    assert facts.latency_s is None
