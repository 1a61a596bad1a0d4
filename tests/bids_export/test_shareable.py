"""emo-export --profile shareable: what must not leave the laboratory is looked for in every byte, not assumed to be gone."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import av
import pytest

from bids_export import cli, dataset, privacy, validate
from protocol import commands
from protocol.folder import Person, Session
from protocol.presets import Sizes, preset
from tests.bids_export import canaries
from tests.bids_export.lab import WALL_0, Truth, Who, record
from tests.bids_export.test_export import table

FULL, _ = preset("demo", Sizes())
SERIAL = "SERIAL7f3a9c21d0b84e65a1f2938475"
STUDY = re.sub(r'serial_number = "[^"]*"', f'serial_number = "{SERIAL}"', FULL)
HOST, HEADSET, TAG = (f"CANARY{what}4e1f90c2d7ab8365f1e2c0b9"[:32] for what in ("host", "headset", "tag"))
SHORT = Truth(duration_s=18.0, host=HOST, serial=HEADSET)
WHOLE = Person(age_y=93, sex="F", handedness="R", head_circumference_cm=56)
SHARED = ("eeg", "face", "share", "train")
STUDY_DATES = ("2026-09-21", "20260921", "2026-09-28", "20260928")  # of the wall clock in the XDF, and of session.json
MAGIC = {"XDF": b"XDF:", "Matroska": bytes.fromhex("1a45dfa3")}


def frames(path: Path) -> list[bytes]:
    """Return a piece of each frame in a video: 48 bytes from its middle."""
    with av.open(str(path)) as film:
        packets = [bytes(p) for p in film.demux(video=0) if p.size > 200]
    return [data[len(data) // 2 :][:48] for data in packets]


def tagged(film: Path) -> None:
    """Write a tag into a Matroska file, for the whole and for its stream; its packets stay as they are."""
    other = film.with_suffix(".tagged.mkv")
    with av.open(str(film)) as source, av.open(str(other), "w", format="matroska") as target:
        target.metadata["COMMENT"] = TAG
        stream = target.add_stream_from_template(source.streams.video[0])
        stream.metadata["TITLE"] = TAG
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    other.replace(film)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Two sessions of one who shares, one who does not share, one below the rule who shares."""
    where = tmp_path_factory.mktemp("share") / "data"
    for session, day in (("01", "2026-09-21T13:33:20Z"), ("02", "2026-09-28T10:03:20Z")):
        run = record(where, SHORT, Who("01", session, person=WHOLE, scopes=SHARED), text=STUDY, end=None)
        told = Session.load(run.session_json)
        told.model_copy(update={"created_wall": day, "resumes": "cafe" * 8, "boot": "boot-id-of-a-machine-0123"}).save(
            run.session_json
        )
        tagged(run.video())
        os.utime(run.xdf, (0, 0))
    record(where, SHORT, Who("02", person=WHOLE, scopes=("eeg", "face", "train")), text=STUDY)
    record(where, Truth(duration_s=18.0, overall=70.0), Who("03", person=WHOLE, scopes=SHARED), text=STUDY)
    return where


def export(data: Path, root: Path) -> dataset.Export:
    return dataset.export(data, root, dataset.Options(profile=privacy.of("shareable", data)))


@pytest.fixture(scope="module")
def shared(data: Path) -> Path:
    done = export(data, data.parent / "shared")
    assert done.verdict.issues == ()
    assert done.notes[0] == "sub-02 ses-01: no consent to share; left out"
    return done.root


def test_it_validates_without_error_or_warning(shared: Path) -> None:
    assert validate.validate(shared).issues == ()


def secrets_of(data: Path) -> dict[str, list[str | bytes]]:
    """Return what the recordings hold that must not be in a shareable dataset."""
    runs = sorted(data.rglob("session.json"))
    told = [Session.load(path) for path in runs]
    film = next(data.glob("sub-01/ses-01/run-01/*.mkv"))
    return {
        "date": list(STUDY_DATES), "serial": [SERIAL], "uid": [s.uid for s in told], "resumed": ["cafe" * 8],
        "boot": ["boot-id-of-a-machine-0123"], "host": [HOST], "headset": [HEADSET], "tag": [TAG],
        "face": [*frames(film)], "container": [*MAGIC.values()],
    }  # fmt: skip


def leaks(data: Path, root: Path) -> set[str]:
    return {kind for kind, needles in secrets_of(data).items() if any(canaries.found(root, needle) for needle in needles)}


def test_the_internal_dataset_holds_what_is_looked_for_and_is_for_its_owner_alone(data: Path, tmp_path: Path, capsys) -> None:
    assert leaks(data, data) == {
        "date", "serial", "uid", "resumed", "boot", "host", "headset", "tag", "face", "container"
    }  # fmt: skip
    root = tmp_path / "bids"
    with pytest.raises(SystemExit) as ended:
        commands.run(cli.export_app, cli.BAD_INPUT, args=[str(data), str(root)])
    assert ended.value.code == 0
    assert leaks(data, root) >= {"date", "serial", "uid", "tag", "face", "container"}
    assert {path.stat().st_mode & 0o077 for path in (root, *root.rglob("*"))} == {0}


def test_no_face_date_serial_identifier_tag_or_xdf_is_in_any_byte(data: Path, shared: Path) -> None:
    assert leaks(data, shared) == set()
    assert not (shared / "sourcedata").exists()
    assert not list(shared.rglob("*_frames.*"))


def test_who_does_not_share_is_not_even_a_row(shared: Path) -> None:
    rows = {row["participant_id"]: row for row in table(shared / "participants.tsv")}
    assert set(rows) == {"sub-01", "sub-03"}
    assert canaries.found(shared, "sub-02") == []
    assert rows["sub-01"]["age"] == "89"  # 93
    assert "1 further participant" in (shared / "README.md").read_text(encoding="utf-8")


def test_dates_move_by_one_offset_for_each_participant(shared: Path) -> None:
    def times(pattern: str) -> list[datetime]:
        return [datetime.fromisoformat(row["acq_time"]) for path in sorted(shared.glob(pattern)) for row in table(path)]

    first, second = times("sub-01/sub-01_sessions.tsv")
    assert (second - first).total_seconds() == 7 * 86400 - 3.5 * 3600
    assert 1903 <= first.year <= second.year < 1925
    scans = times("sub-01/ses-01/*_scans.tsv")
    began = datetime.fromtimestamp(WALL_0, UTC) - datetime.fromisoformat("2026-09-21T13:33:20+00:00")
    assert abs((scans[0] - first - began).total_seconds()) < 0.1


def test_each_participant_has_an_offset_of_their_own_which_only_the_secret_tells() -> None:
    began = datetime.fromisoformat("2026-09-21T13:33:20+00:00")
    key, other = bytes(32), bytes(31) + b"\1"
    shifts = [privacy.shift_of("01", began, key), privacy.shift_of("02", began, key), privacy.shift_of("01", began, other)]
    assert len(set(shifts)) == 3
    assert privacy.shift_of("01", began, key) == shifts[0]
    later = datetime.fromisoformat("2031-01-01T00:00:00+00:00")
    assert began + shifts[0] == later + privacy.shift_of("01", later, key)  # where it goes says nothing of when it was


def test_the_secret_lies_beside_the_data_for_its_owner_alone(data: Path, shared: Path) -> None:
    secret = data.parent / ".data.secret"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert canaries.found(shared, secret.read_text().strip()) == []


LEFT_OUT = {
    "shifts the dates": ("date", lambda mp: mp.setattr(privacy.Profile, "recording", lambda self, record, facts: record)),
    "withholds the serial number": ("serial", lambda mp: mp.setattr(privacy, "anonymous", lambda study: study)),
    "drops the face": ("face", lambda mp: mp.setattr(privacy, "_anonymous_run", lambda run, names, shift: run)),
}  # fmt: skip


@pytest.mark.parametrize("step", list(LEFT_OUT))
def test_the_search_finds_what_a_step_that_is_left_out_leaves(
    step: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, leave_out = LEFT_OUT[step]
    leave_out(monkeypatch)
    monkeypatch.setattr(validate, "validate", lambda root: validate.Verdict((), "none"))
    export(data, tmp_path / "shared")
    assert kind in leaks(data, tmp_path / "shared")


def test_a_shareable_dataset_is_made_whole_and_never_mixed(data: Path, shared: Path, tmp_path: Path, capsys) -> None:
    before = {path: path.stat().st_mtime_ns for path in shared.rglob("*")}
    for options in (["--profile", "shareable"], []):
        with pytest.raises(SystemExit) as ended:
            commands.run(cli.export_app, cli.BAD_INPUT, args=[str(data), str(shared), *options])
        assert ended.value.code == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert {path: path.stat().st_mtime_ns for path in shared.rglob("*")} == before


@pytest.mark.parametrize("refused_in", ["01", "02"])
def test_who_refuses_to_share_in_one_session_is_not_shared_with_the_other(refused_in: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(validate, "validate", lambda root: validate.Verdict((), "none"))
    data, plain = tmp_path / "data", Truth(duration_s=18.0, fps=0)
    for session in ("01", "02"):
        record(data, plain, Who("01", session, scopes=("eeg",) if session == refused_in else ("eeg", "share", "train")))
        record(data, plain, Who("02", session, scopes=("eeg", "share") if session == refused_in else ("eeg", "share", "train")))
    done = export(data, tmp_path / "shared")
    assert done.notes == tuple(f"sub-01 ses-{session}: no consent to share; left out" for session in ("01", "02"))
    assert [(row["participant_id"], row["consent"]) for row in table(done.root / "participants.tsv")] == [
        ("sub-02", "eeg+share")
    ]
    assert canaries.found(done.root, "sub-01") == []
    assert "1 further participant took part" in (done.root / "README.md").read_text(encoding="utf-8")


def test_nobody_who_shares_is_no_dataset(tmp_path: Path) -> None:
    record(tmp_path / "data", Truth(duration_s=18.0, fps=0))
    with pytest.raises(dataset.NothingKeptError, match="scope 'share'"):
        export(tmp_path / "data", tmp_path / "bids")
    assert not (tmp_path / "bids").exists()
