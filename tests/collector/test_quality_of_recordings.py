"""The rule on whole recordings: which stream, which time, which sensors."""

from pathlib import Path

import numpy as np
import pytest

from collector import finish, quality, xdf
from collector.quality import judge_streams, judged_spans
from protocol import study as study_file
from protocol.folder import Consent, Manifest, Person, Run, Session, sha256
from protocol.markers import Marker, parse
from protocol.study import Study

SENSORS = ("Cz", "Fz", "FT9")
STUDY = """
[study]
name = "test"
[emotions]
fear = { hed = "Fearful", color = "#CC79A7" }
neutral = { hed = "Emotionally-neutral", color = "#7F7F7F" }
[eeg]
exclude = ["FT9"]
[contact_quality]
metric = "CQ"
threshold = 0.80
[consent]
version = "1"
"""
MARKERS = [
    (100.0, "session/start uid=u"),
    (110.0, "baseline/eyes_open phase=onset"),
    (120.0, "baseline/eyes_open phase=offset"),
    (130.0, "clip/onset trial=1"),
    (150.0, "clip/offset trial=1 end=complete"),
    (170.0, "clip/onset trial=2"),
    (210.0, "clip/offset trial=2 end=complete"),
    (230.0, "session/end end=complete"),
]


def a_study(**changes: str) -> Study:
    text = STUDY
    for old, new in changes.items():
        text = text.replace({"metric": 'metric = "CQ"', "threshold": "threshold = 0.80"}[old], new)
    return study_file.loads(text)


def markers(rows: list[tuple[float, str]] = MARKERS) -> xdf.Stream:
    header = xdf.StreamHeader("emolab-markers", "Markers", 1, 0.0, "string")
    return xdf.Stream(9, header, "", np.array([t for t, _ in rows]), [[text] for _, text in rows], np.empty((0, 2)))


def readings(
    overall: float | np.ndarray,
    *,
    kind: str = "Contact-Quality",
    start: float = 100.0,
    stop: float = 230.0,
    offset: float = 0.0,
    id_: int = 2,
) -> xdf.Stream:
    """Two readings a second on a clock that is ``offset`` behind the recorder's."""
    times = np.arange(start, stop, 0.5)
    middle = "Signal" if kind == "Contact-Quality" else "SampleRateQuality"
    labels = ("Timestamp", "BatteryPercent", "Overall", middle, *SENSORS)
    values = np.zeros((len(times), len(labels)))
    values[:, 2], values[:, 4:] = overall, [4, 2, 0]
    header = xdf.StreamHeader(f"EmotivDataStream-{kind}", kind, len(labels), 2.0, "double64", labels=labels)
    offsets = np.array([[t, offset] for t in (start - offset, stop - offset)])
    return xdf.Stream(id_, header, "", times - offset, values, offsets)


@pytest.mark.parametrize(("overall", "verdict"), [(79.99, "exclude"), (80.0, "keep"), (100.0, "keep")])
def test_eighty_percent_stays_and_below_goes(overall: float, verdict: str) -> None:
    judged = judge_streams({2: readings(overall), 9: markers()}, a_study())
    assert (judged.verdict, judged.value, judged.coverage) == (verdict, pytest.approx(overall / 100), 1.0)
    assert judged.n == 200  # two a second from the baseline at 110 s to the last clip's end at 210 s


def test_quality_that_ends_midway_is_not_judged() -> None:
    judged = judge_streams({2: readings(100.0, stop=160.0), 9: markers()}, a_study())
    assert judged.verdict == "not_judged"
    assert judged.coverage == pytest.approx((159.5 + 2 - 110) / 100)


def test_no_quality_stream_is_not_judged() -> None:
    judged = judge_streams({9: markers()}, a_study())
    assert (judged.verdict, judged.reason, judged.value) == ("not_judged", "no contact quality reading was recorded", None)


def test_no_clip_is_not_judged() -> None:
    assert judge_streams({2: readings(100.0), 9: markers(MARKERS[:3])}, a_study()).reason == "no clip was played"


def test_the_study_says_which_of_the_two_measures_counts() -> None:
    streams = {2: readings(60.0), 3: readings(90.0, kind="EEG-Quality", id_=3), 9: markers()}
    assert judge_streams(streams, a_study()).verdict == "exclude"
    by_eq = judge_streams(streams, a_study(metric='metric = "EQ"'))
    assert (by_eq.verdict, by_eq.metric, by_eq.value) == ("keep", "EQ", pytest.approx(0.9))


def test_only_the_analysed_sensors_stand_beside_the_verdict() -> None:
    judged = judge_streams({2: readings(90.0), 9: markers()}, a_study())
    assert judged.per_sensor == {"Cz": pytest.approx(1.0), "Fz": pytest.approx(0.5)}  # FT9 is recorded, not analysed


def test_a_device_with_another_clock_is_judged_over_the_same_time() -> None:
    good_from = 150.0
    overall = np.where(np.arange(100.0, 230.0, 0.5) >= good_from, 100.0, 0.0)
    here = judge_streams({2: readings(overall), 9: markers()}, a_study())
    there = judge_streams({2: readings(overall, offset=5000.0), 9: markers()}, a_study())
    assert there.value == pytest.approx(here.value) == pytest.approx(0.6)


def test_a_stream_that_came_back_counts_with_the_one_before() -> None:
    streams = {2: readings(90.0, stop=150.0), 3: readings(90.0, start=150.5, id_=3), 9: markers()}
    judged = judge_streams(streams, a_study())
    assert (judged.verdict, judged.coverage) == ("keep", 1.0)


@pytest.mark.parametrize("untold", [np.nan, -1.0, 255.0])
def test_what_the_device_did_not_tell_is_a_gap_and_no_value(untold: float) -> None:
    overall = np.full(260, 90.0)
    overall[40:220] = untold
    assert judge_streams({2: readings(overall), 9: markers()}, a_study()).verdict == "not_judged"


def spans(rows: list[tuple[float, str]], over: str = "recording") -> list[tuple[float, float]]:
    return judged_spans([(t, parse(text)) for t, text in rows], over)


def test_the_recording_is_judged_from_the_first_baseline_to_the_last_clips_end() -> None:
    assert spans(MARKERS) == [(110.0, 210.0)]
    assert spans(MARKERS, "clips") == [(130.0, 150.0), (170.0, 210.0)]


def test_without_a_baseline_the_first_clip_is_the_start() -> None:
    assert spans(MARKERS[3:]) == [(130.0, 210.0)]


def test_pauses_do_not_count() -> None:
    rows = sorted([*MARKERS, (160.0, "pause reason=cap"), (165.0, "resume"), (180.0, "pause"), (190.0, "resume")])
    assert spans(rows) == [(110.0, 160.0), (165.0, 180.0), (190.0, 210.0)]
    assert spans(rows, "clips") == [(130.0, 150.0), (170.0, 180.0), (190.0, 210.0)]


def test_a_pause_that_nobody_ended_lasts() -> None:
    assert spans(sorted([*MARKERS, (180.0, "pause")])) == [(110.0, 180.0)]


def test_a_clip_without_an_end_does_not_count() -> None:
    assert spans(MARKERS[:6]) == [(110.0, 150.0)]
    assert spans(MARKERS[:4]) == []


def test_a_clip_that_was_cut_short_counts_as_far_as_it_was_shown_and_the_time_until_it_was_shown_again_does_not() -> None:
    rows = [
        (130.0, "clip/onset trial=1"), (140.0, "window/lost"), (190.0, "window/back"), (200.0, "clip/onset trial=1 attempt=2"),
        (220.0, "clip/offset trial=1 attempt=2 end=complete"),
    ]  # fmt: skip
    assert spans(rows, "clips") == [(130.0, 140.0), (200.0, 220.0)]
    assert spans(rows) == [(130.0, 220.0)]


def test_a_clip_that_began_again_without_a_word_was_shown_until_then() -> None:
    rows = [(130.0, "clip/onset trial=1"), (150.0, "clip/onset trial=1"), (160.0, "clip/offset trial=1 end=complete")]
    assert spans(rows, "clips") == [(130.0, 150.0), (150.0, 160.0)]


def test_a_rest_that_stands_for_an_emotion_is_judged_like_a_clip() -> None:
    rows = [(100.0, "rest/onset trial=1 target=neutral"), (120.0, "rest/offset trial=1 target=neutral end=complete")]
    assert spans(rows, "clips") == spans(rows) == [(100.0, 120.0)]
    assert spans([(100.0, "rest/onset"), (120.0, "rest/offset")]) == []


def test_what_is_no_marker_of_ours_is_passed_over() -> None:
    stream = markers([(1.0, "hello world"), (2.0, "clip/onset trial=1"), (3.0, "unknown/name")])
    assert quality.marker_rows({1: stream}) == [(2.0, Marker("clip/onset", {"trial": "1"}))]


def a_run(data: Path) -> Run:
    run = Run(data, "07", "01", "01", "emotion")
    run.path.mkdir(parents=True)
    Session(
        uid="u", participant="07", session="01", run="01", task="emotion", simulated=True, study_sha256="0", resumes=None,
        created_wall="2026-01-01T00:00:00Z", created_lsl=0.0, boot="b", person=Person(),
        consent=Consent(version="1", scopes=("eeg",), t_wall="2026-01-01T00:00:00Z"), versions={},
    ).save(run.session_json)  # fmt: skip
    return run


def test_the_manifest_lists_what_is_finished_with_hashes_streams_and_the_verdict(tmp_path: Path) -> None:
    run, cq = a_run(tmp_path), readings(90.0)
    with xdf.Writer(run.xdf) as writer:
        writer.add_stream(2, xdf.header_xml(cq.header))
        writer.samples(2, cq.stamps, cq.values)
        writer.add_stream(9, xdf.header_xml(markers().header))
        writer.samples(9, markers().stamps, markers().values)
    run.journal("window").write_text("still being written\n")
    made = finish.write_manifest(run, a_study(), end="complete")
    manifest = Manifest.load(run.manifest_json)
    assert manifest == made
    assert manifest.session_uid == "u"
    assert {f.path for f in manifest.files} == {"session.json", run.xdf.name, run.xdf.name + ".crc"}
    assert all(f.sha256 == sha256(run.path / f.path) and f.size_B > 0 for f in manifest.files)
    assert [(s.name, s.id, s.n, s.n_lost) for s in manifest.streams] == [
        ("EmotivDataStream-Contact-Quality", 2, 260, None),
        ("emolab-markers", 9, 8, None),
    ]
    assert (manifest.quality.verdict, manifest.quality.value) == ("keep", pytest.approx(0.9))
