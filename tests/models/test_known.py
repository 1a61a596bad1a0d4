"""Kept models know a recording again by its samples, and a person only where labels are known to mean the same."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from models import bids
from models.bids import RecordingFiles
from models.card import Card
from models.eeg import recording
from models.known import Acquaintance, acquaintances
from tests.models import bids_root

LEARNT = {"a1": "01", "b1": "02"}  # samples of a session each of two people


def _card(recordings: object) -> Card:
    return Card(
        modality="eeg", model="map_cnn", features="pool96", extractor="pool96", emotions=("fear", "neutral"), n_features=96,
        labels="target", seed=1, data_sha256="", participants=("01", "02"), n_windows=4, scores=(),
        settings={} if recordings is None else {"recordings": recordings}, versions={}, licence="CC0", simulated=True,
    )  # fmt: skip


def _told(mine: dict[tuple[str, str], str], recordings: object = LEARNT, **more: Card) -> dict[tuple[str, str], Acquaintance]:
    files = [
        RecordingFiles(participant=who, session=session, run="", eeg=Path("eeg"), scopes=frozenset()) for who, session in mine
    ]
    cards = [_card(recordings), *more.values()]
    return {(who, session): known for (who, session, _), known in acquaintances(cards, files, list(mine.values())).items()}


def _is(recording: bool | None, participant: bool | None) -> Acquaintance:
    return Acquaintance(recording=recording, participant=participant)


def test_in_the_same_dataset_a_second_session_is_new_and_its_person_is_not() -> None:
    told = _told({("01", "1"): "a1", ("01", "2"): "a2", ("02", "2"): "b2", ("03", "1"): "c1"})
    assert told == {
        ("01", "1"): _is(True, True), ("01", "2"): _is(False, True), ("02", "2"): _is(False, True),
        ("03", "1"): _is(False, False),
    }  # fmt: skip


def test_of_people_whose_samples_are_all_new_nothing_is_known_where_no_recording_is_shared() -> None:
    assert _told({("01", "2"): "a2", ("09", "1"): "c1"}) == {("01", "2"): _is(False, None), ("09", "1"): _is(False, None)}


def test_under_another_label_samples_are_known_and_labels_say_nothing() -> None:
    told = _told({("77", "1"): "a1", ("77", "2"): "a2", ("02", "1"): "c1"})
    assert told == {("77", "1"): _is(True, True), ("77", "2"): _is(False, True), ("02", "1"): _is(False, None)}


def test_a_model_that_does_not_say_what_it_has_learnt_from_leaves_everything_open() -> None:
    assert _told({("01", "1"): "a1"}, None) == {("01", "1"): _is(None, None)}
    fusion = replace(_card(None), modality="fusion")
    assert _told({("01", "1"): "a1"}, LEARNT, fusion=fusion) == {("01", "1"): _is(True, True)}, "a fusion says it by its parts"


@pytest.fixture
def files(tmp_path: Path) -> RecordingFiles:
    root = bids_root.write_root(tmp_path / "bids", participants=["01"], clips_per_emotion=1)
    return bids.find_recordings(root)[0]


def test_the_digest_is_of_the_samples_alone(files: RecordingFiles) -> None:
    before = recording.load(files).sha256
    events = files.sibling("_events.tsv")
    events.write_text(events.read_text() + "5\t1\tBAD_seen\n")
    files.sibling("_eeg.json").write_text(json.dumps({"PowerLineFrequency": 60}))
    channels = files.sibling("_channels.tsv")
    channels.write_text(channels.read_text().replace("Cz\tEEG\tuV\tgood", "Cz\tEEG\tuV\tbad"))
    assert recording.load(files).sha256 == before
    samples = files.eeg.with_suffix(".eeg")
    samples.write_bytes(samples.read_bytes()[:-1] + b"\x07")
    assert recording.load(files).sha256 != before
