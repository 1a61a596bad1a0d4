"""What happened to a recording beside its clips, in words and in order."""

from pathlib import Path

import numpy as np
import pytest

from bids_export import happenings, recording
from bids_export.happenings import Happening
from bids_export.report import from_run, measures, output
from collector import xdf
from collector.own import NOTES_NAME, notes_header
from protocol.markers import Marker
from tests.bids_export import lab

MOMENTS = [
    (10.0, Marker("session/start", {})),
    (20.0, Marker("clip/onset", {"trial": "1", "target": "fear"})),
    (25.0, Marker("pause", {"reason": "cap slipped"})),
    (30.0, Marker("resume", {})),
    (31.0, Marker("clip/onset", {"trial": "1", "target": "fear", "attempt": "2"})),
    (40.0, Marker("window/lost", {"reason": "gone"})),
]
NOTES = [
    (9.0, "recording/start"),
    (9.5, "stream/new stream=Contact id=2 uid=x source_id=y"),
    (26.0, "camera/lost reason=no%20frame"),
    (28.0, "camera/back"),
    (33.0, "clock/step seconds=10.000"),
    (35.0, "note reason=sneezed"),
    (40.2, "window/lost reason=gone"),
    (50.0, "stream/new stream=EEG id=7 uid=z source_id=y"),
]


def told() -> list[tuple[float, str, str]]:
    return [(h.onset, h.kind, h.text) for h in happenings.gather(MOMENTS, NOTES, onsets=lambda t: t - 5)]


def test_alarms_pauses_repeats_and_notes_stand_in_order_on_the_eegs_clock() -> None:
    assert told() == [
        (20.0, "operator", "paused: cap slipped"),
        (21.0, "alarm", "the camera was lost: no frame"),
        (23.0, "over", "the camera was back"),
        (25.0, "operator", "went on"),
        (26.0, "operator", "a clip was begun again: trial 1, attempt 2"),
        (28.0, "alarm", "the wall clock was set: 10.000 seconds"),
        (30.0, "note", "note: sneezed"),
        (35.0, "alarm", "the participant's window was lost: gone"),
        (45.0, "note", "a stream was added: EEG"),
    ]


def test_a_marker_and_the_note_of_the_same_are_one() -> None:
    assert sum("window" in text for _, _, text in told()) == 1


def test_a_line_that_is_no_note_is_kept_as_it_is() -> None:
    [one] = happenings.gather([], [(3.0, "what is this")], onsets=float)
    assert (one.kind, one.text) == ("note", "what is this")


@pytest.mark.parametrize("text", ['he said "stop', "tab\there", "ünïcode"])
def test_the_table_reads_back_whatever_was_typed(tmp_path: Path, text: str) -> None:
    several = [Happening(1.5, "note", "note", text), Happening(2.0, "alarm", "camera/lost", "the camera was lost")]
    happenings.write(tmp_path / "notes.tsv", several)
    first, second = happenings.read(tmp_path / "notes.tsv")
    assert first.text == text.replace('"', "'").replace("\t", " ")
    assert second == several[1]
    assert happenings.read(tmp_path / "none.tsv") == ()


def test_notes_of_a_recording_reach_its_page(tmp_path: Path) -> None:
    run = lab.record(tmp_path / "data", lab.Truth(fps=0), end=None)
    with run.xdf.open("rb") as file:
        whole = file.read()
    run.xdf.unlink()
    with xdf.Writer(run.xdf.with_name("notes.xdf")) as writer:
        writer.add_stream(101, xdf.header_xml(notes_header(uid="u")))
        writer.samples(101, np.array([5008.0]), [["camera/lost reason=unplugged"]])
    extra = run.xdf.with_name("notes.xdf").read_bytes()
    run.xdf.with_name("notes.xdf").unlink()
    run.xdf.write_bytes(whole + after_header(extra))
    assert recording.NOTES == NOTES_NAME
    facts = from_run.load(run.path)
    assert [(round(h.onset, 1), h.text) for h in facts.happenings] == [(8.0, "the camera was lost: unplugged")]
    measured = measures.measure(facts)
    assert "1 alarm while it was recorded: see the timeline" in measured.findings
    html = output.write(tmp_path / "reports", facts, measured).read_text(encoding="utf-8")
    assert "the camera was lost: unplugged" in html
    assert 'href="#What_happened"' in html


def after_header(data: bytes) -> bytes:
    """Return an XDF file without its magic and its file header, so that it can follow another."""
    n_bytes = data[4]
    length = int.from_bytes(data[5 : 5 + n_bytes], "little")
    return data[5 + n_bytes + length :]
