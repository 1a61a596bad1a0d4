"""A laboratory with a participant who is a canary everywhere, and what the house's own writers leave of them."""

from __future__ import annotations

import base64
import gzip
import json
import os
import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bids_export import dataset, privacy, validate
from collector import finish
from models import cache, card, derivative
from models.bids import RecordingFiles
from models.face.crops import owner
from protocol import study
from protocol.folder import Session
from protocol.markers import Marker
from tests.bids_export import lab
from tests.bids_export.lab import Truth, Who, record
from tests.bids_export.test_shareable import frames

LABEL = "CANARYlabel5f0c7be19a3d48e26b7f0"
NOTE, RATING, TAG, NAME = (f"canary-{what}-9d41e7c05ab2f836d1e0"[:32] for what in ("note", "rating", "tag", "name"))
SCOPES = ("eeg", "face", "share", "train")


@dataclass(frozen=True)
class Lab:
    """Where everything lies."""

    home: Path
    label: str = LABEL

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def bids(self) -> Path:
        return self.home / "bids"

    @property
    def shared(self) -> Path:
        return self.home / "shared"

    @property
    def trained(self) -> Path:
        return self.bids / "derivatives" / "emolab"

    @property
    def run(self) -> Path:
        return self.data / f"sub-{self.label}" / "ses-01" / "run-01"


def build(home: Path, label: str = LABEL) -> Lab:
    """Record, export twice, and compute: by the writers that the commands use."""
    made = Lab(home, label)
    with pytest.MonkeyPatch.context() as patch:
        plain = lab.markers
        patch.setattr(lab, "markers", lambda truth: [(t, _said(marker)) for t, marker in plain(truth)])
        _record(made.data, label)
    record(made.data, Truth(duration_s=18.0), Who("02", scopes=SCOPES))
    other = record(made.data, Truth(duration_s=18.0), Who("03", scopes=SCOPES), end=None)
    told = Session.load(other.session_json)
    told.model_copy(update={"replaces": label}).save(other.session_json)
    finish.write_manifest(other, study.load(other.study_toml), end="complete", closed_wall="2026-09-21T13:40:00Z")
    _report(made.data, label)
    with pytest.MonkeyPatch.context() as patch:
        valid(patch)
        dataset.export(made.data, made.bids, dataset.Options())
        dataset.export(made.data, made.shared, dataset.Options(profile=privacy.of("shareable", made.data)))
    _compute(made)
    return made


def valid(patch: pytest.MonkeyPatch) -> None:
    """Take every dataset for valid: a canary is no emotion that a study knows."""
    patch.setattr(validate, "validate", lambda root: validate.Verdict((), "none"))


def _said(marker: Marker) -> Marker:
    if marker.keys.get("question") != "emotion":
        return marker
    return Marker(marker.name, {**marker.keys, "answer": RATING})


def _record(data: Path, label: str) -> None:
    run = record(data, Truth(duration_s=18.0), Who(label, scopes=SCOPES), end=None)
    run.trials_csv.write_text(f"participant,note,rating\n{label},{NOTE},{RATING}\n", encoding="utf-8")
    (run.path / "journal-collector.jsonl").write_text(json.dumps({"kind": "note", "name": NOTE}) + "\n", encoding="utf-8")
    run.psydat.write_bytes(pickle.dumps({"participant": label, "note": NOTE}))
    (run.path / "window.log.gz").write_bytes(gzip.compress(f"{TAG} {label}".encode()))
    (run.path / f"{NAME}.txt").write_text("a file by hand", encoding="utf-8")
    finish.write_manifest(run, study.load(run.study_toml), end="complete", closed_wall="2026-09-21T13:40:00Z")


def _report(data: Path, theirs: str) -> None:
    packed = base64.b64encode(gzip.compress(f"{NOTE} {theirs}".encode())).decode()
    folder = data / "reports"
    folder.mkdir()
    for label in (theirs, "02"):
        page = f"<html>sub-{label}<img src='data:x;base64,{packed if label == theirs else ''}'></html>"
        (folder / f"sub-{label}_ses-01_task-emotion_run-01_report.html").write_text(page, encoding="utf-8")


def _card(modality: str, people: tuple[str, ...]) -> card.Card:
    return card.Card(
        modality=modality, model="m", features="pool96", extractor="", emotions=("happiness", "sadness"), n_features=96,
        labels="target", seed=1, data_sha256="0" * 64, participants=people, n_windows=4, scores=(),
        settings={"recordings": dict(zip("ab", people, strict=False))}, versions={},
        licence="CC0", simulated=False,
    )  # type: ignore[arg-type]  # fmt: skip


def _compute(made: Lab) -> None:
    out, theirs = made.trained, made.label
    out.mkdir(parents=True)
    derivative.write_folder(out, made.bids, made_by="emo-train")
    for label in (theirs, "02"):
        files = RecordingFiles(participant=label, session="01", run="01", eeg=made.bids, scopes=frozenset())
        x = np.frombuffer(f"{NOTE if label == theirs else 'x' * 32}".encode(), np.uint8)
        cache.write(out / "cache", cache.key_of(label), {"x": x, **owner(files)})
        for kind, name in (("eeg", "_desc-fused_events"), ("beh", "_desc-face_beh")):
            path = out / f"sub-{label}" / "ses-01" / kind / f"sub-{label}_ses-01_task-emotion_run-01{name}.tsv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"onset\trating\n1.0\t{RATING if label == theirs else 'fear'}\n", encoding="utf-8")
        picture = out / "figures" / "clips" / f"sub-{label}_ses-01_task-emotion_run-01_clips.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(_face_of(made, label))
    cache.write(out / "cache" / "folds", "f" * 64, {"participants": np.array([theirs, "02"]), "p": np.zeros(3)})
    (out / "cache" / f"{'a' * 64}.npz.12-34.tmp").write_bytes(b"half an entry " + theirs.encode())
    lines = [f'<p><img src="figures/clips/sub-{x}_ses-01_task-emotion_run-01_clips.png"></p>\n' for x in (theirs, "02")]
    (out / "clips.html").write_text("<html>\n" + "".join(lines) + "</html>\n", encoding="utf-8")
    (out / "metrics.json").write_text("[]", encoding="utf-8")
    (out / "scores.json").write_text(json.dumps([{"by_participant": {theirs: {}, "02": {}}}]), encoding="utf-8")
    page = base64.b64encode(f"a picture of {theirs} {theirs}".encode()).decode()
    (out / "scores.html").write_text(f"<th>sub-{theirs}<img src='data:image/png;base64,{page}'>", encoding="utf-8")
    (out / "figures" / "eeg.png").write_bytes(b"\x89PNG everybody together")
    weights = {"w": np.ones(4, np.float32)}
    for name, modality, people in (("eeg", "eeg", (theirs, "02")), ("face", "face", ("02", theirs)), ("old", "eeg", ("02",))):
        card.save(out / "models", name, weights, _card(modality, people))


def _face_of(made: Lab, label: str) -> bytes:
    """Return a piece of the first frame of a video, as a picture of a face holds it."""
    film = next((made.data / f"sub-{label}").rglob("*.mkv"))
    return b"\x89PNG" + os.urandom(4) + frames(film)[0]
