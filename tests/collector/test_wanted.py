"""Which streams a study records, and how one among those that are there is recognised."""

from types import SimpleNamespace

import pytest

from collector.wanted import cure, fits, in_words, wanted
from protocol import study
from protocol.study import Stream

STUDY = """
[study]
name = "test"
[emotions]
fear = { hed = "Fearful", color = "#CC79A7" }
neutral = { hed = "Emotionally-neutral", color = "#7F7F7F" }
[consent]
version = "1"
[eeg]
"""


def info(**is_: object) -> SimpleNamespace:
    plain = {"name": "amp", "type": "EEG", "hostname": "lab-pc", "source_id": "s1", "channel_count": 8, "nominal_srate": 250.0}
    return SimpleNamespace(**{key: (lambda value=value: value) for key, value in (plain | is_).items()})


def test_an_emotiv_study_wants_eeg_both_qualities_motion_where_it_is_there_and_the_windows_markers() -> None:
    found = {w.kind: (str(w), w.required) for w in wanted(study.loads(STUDY), uid="u1")}
    assert found == {
        "eeg": ("eeg.stream (name = EmotivDataStream-EEG)", True),
        "contact_quality": ("eeg.contact_quality_stream (name = EmotivDataStream-Contact-Quality)", True),
        "eeg_quality": ("eeg.eeg_quality_stream (name = EmotivDataStream-EEG-Quality)", True),
        "other": ("eeg.other_streams.0 (name = EmotivDataStream-Motion)", False),
        "markers": ("name = emolab-markers, type = Markers, source_id = emolab-u1", False),
    }


def test_a_headset_that_reports_no_quality_is_recorded_without_and_other_streams_are_asked_for() -> None:
    told = 'stream = { type = "EEG", host = "lab-pc" }\ncontact_quality_stream = false\neeg_quality_stream = false\n'
    others = 'other_streams = [{ name = "gsr" }, { type = "Gaze", required = false }]\n'
    found = wanted(study.loads(STUDY + told + others), uid=None)
    assert [(str(w), w.required) for w in found] == [
        ("eeg.stream (type = EEG, host = lab-pc)", True), ("eeg.other_streams.0 (name = gsr)", True),
        ("eeg.other_streams.1 (type = Gaze)", False), ("name = emolab-markers, type = Markers", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("description", "does"),
    [
        (Stream(name="amp"), True), (Stream(type="EEG", host="lab-pc"), True), (Stream(source_id="s1"), True),
        (Stream(name="Amp"), False), (Stream(name="amp", host="other"), False), (Stream(source_id="s2"), False),
    ],
)  # fmt: skip
def test_a_stream_fits_when_all_that_is_asked_is_as_asked(description: Stream, does: bool) -> None:
    assert fits(description, info()) is does


def test_what_tells_two_streams_apart_is_named_and_copies_are_called_copies() -> None:
    assert cure([info(), info(source_id="")]) == (
        "(host = lab-pc, source_id = none and host = lab-pc, source_id = s1): name the right one's host or source_id"
    )
    assert cure([info(), info()]).endswith("the same twice; end one of the programs that send it")
    assert in_words([]) == "none"
    assert in_words([info()]) == "amp (type EEG, 8 channels, 250 Hz, host lab-pc)"
