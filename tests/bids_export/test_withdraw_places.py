"""emo-withdraw where things lie in unusual places: behind links, under version control, in derivatives of every kind."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from bids_export import tables
from bids_export.withdraw import job
from collector.lock import Lock, left_of, machine_folder
from protocol.folder import NotRecorded, Session
from tests.bids_export import canaries
from tests.bids_export.test_withdraw import faces, left, run, snapshot
from tests.bids_export.withdrawn_lab import LABEL, Lab, build, valid


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return build(tmp_path_factory.mktemp("withdraw"))


@pytest.fixture
def lab(first: Lab, tmp_path: Path) -> Lab:
    """A copy to withdraw from, below a folder with the name that caches have."""
    shutil.copytree(first.home, tmp_path / "cache" / "lab", symlinks=True)
    return Lab(tmp_path / "cache" / "lab")


def moved(path: Path, target: Path) -> Path:
    """Move something elsewhere, as to a larger disk, and leave a link."""
    target.parent.mkdir(parents=True, exist_ok=True)
    path.rename(target)
    path.symlink_to(target)
    return target


def told(lab: Lab, *options: str, capsys) -> tuple[int, dict]:
    code, out, err = run(lab, "--yes", "--json", *options, capsys=capsys)
    assert err == ""
    return code, json.loads(out)


def derivative(folder: Path, *, made_by: str = "emo-report", source: str = "") -> Path:
    """Make a derivative of ours with a group's page and a participant's."""
    folder.mkdir(parents=True)
    links = {"SourceDatasets": [{"URL": source}]} if source else {}
    about = {"Name": "x", "BIDSVersion": "1.11.1", "DatasetType": "derivative", **links}
    tables.write_json(
        folder / "dataset_description.json", {**about, "GeneratedBy": [{"Name": "emolab", "Description": made_by}]}
    )
    (folder / f"sub-{LABEL}_ses-01_task-emotion_run-01_report.html").write_text("<html>", encoding="utf-8")
    for name in ("group_report.html", "group_report.tsv"):
        (folder / name).write_text(f"sub-{LABEL} 0.97", encoding="utf-8")
    return folder


@pytest.mark.parametrize("what", ["participant", "session", "run", "video", "files of the dataset", "dataset"])
def test_what_lies_behind_a_link_goes_too(what: str, lab: Lab, capsys) -> None:
    pieces, disk, person = faces(lab), lab.home / "disk", lab.run.parents[1]
    if what == "files of the dataset":
        for n, path in enumerate(sorted(p for p in (lab.bids / person.name).rglob("*") if p.is_file())):
            moved(path, disk / f"{n}")
    else:
        path = {
            "participant": person, "session": lab.run.parent, "run": lab.run, "video": next(lab.run.glob("*.mkv")),
            "dataset": lab.bids / person.name,
        }[what]  # fmt: skip
        moved(path, disk / "it")
    (disk / "of_others.txt").write_text("stays", encoding="utf-8")
    before = snapshot(lab.home)
    run(lab, "--dry-run", capsys=capsys)
    assert snapshot(lab.home) == before
    code, said = told(lab, capsys=capsys)
    assert (code, said["left"]) == (0, [])
    assert left(lab.home) == {}
    assert [p.name for p in disk.iterdir()] == ["of_others.txt"]
    assert [hit for piece in pieces for hit in canaries.found(lab.home, piece) if "03" not in hit and "02" not in hit] == []
    assert not [p for p in lab.home.rglob("*") if p.is_symlink()]


@pytest.mark.parametrize("what", ["annex", "somebody else's folder", "a folder of others, too"])
def test_what_a_link_leads_to_and_may_not_be_removed_is_named_until_it_is_gone(what: str, lab: Lab, capsys) -> None:
    if what == "annex":
        target = moved(next(lab.run.glob("*.mkv")), lab.data / ".git" / "annex" / "objects" / "SHA256E-s9")
    elif what == "somebody else's folder":
        target = lab.home / "disk" / "clips"
        target.mkdir(parents=True)
        (target / "clip.mp4").write_bytes(b"a clip")
        (lab.run / "clips").symlink_to(target)
    else:
        target = lab.home / "disk" / "all"
        shutil.copytree(lab.data / "sub-02", target / "sub-02")
        (lab.run / f"sub-{LABEL}_all").symlink_to(target)
    before = snapshot(target.parent)
    for _ in range(2):  # the link is gone after the first time; what it led to is remembered
        code, said = told(lab, capsys=capsys)
        assert (code, said["left"]) == (1, [str(target)])
        assert json.loads(Path(said["tombstone"]).read_text(encoding="utf-8"))["done"] is None
    assert snapshot(target.parent) == before
    assert any("version control" in note and ".git" in note for note in said["notes"]) is (what == "annex")
    assert any("version control" in text for text in said["beyond_reach"])
    (target.unlink if target.is_file() else lambda: shutil.rmtree(target))()
    code, said = told(lab, capsys=capsys)
    assert (code, said["left"]) == (0, [])


def test_a_face_goes_by_its_name_wherever_it_lies_and_what_cannot_be_opened_is_named(lab: Lab, capsys) -> None:
    video = next(lab.run.glob("*.mkv"))
    (lab.data / "old").mkdir()
    shutil.copy(video, lab.data / "old" / video.name)
    shutil.copy(video, lab.run.parents[1] / "by-hand.MP4")
    torn = lab.run / "session.json"
    whole = torn.read_bytes()
    torn.write_bytes(whole[:100])
    code, said = told(lab, "--scope", "face", capsys=capsys)
    assert code == 1
    assert said["left"] == [str(torn), str(lab.run.parents[1] / "by-hand.MP4")]
    assert not list(lab.data.rglob(f"sub-{LABEL}*_recording-face*"))
    (lab.run.parents[1] / "by-hand.MP4").unlink()
    torn.write_bytes(whole)
    code, said = told(lab, "--scope", "face", capsys=capsys)
    assert (code, said["left"]) == (0, [])
    assert "face" not in Session.load(torn).consent.scopes


@pytest.mark.parametrize("scope", ["share", "train"])
def test_a_consent_that_could_not_be_changed_is_named(scope: str, lab: Lab, capsys) -> None:
    (lab.run / "session.json").write_text("{", encoding="utf-8")
    code, said = told(lab, "--scope", scope, capsys=capsys)
    assert (code, said["left"]) == (1, [str(lab.run / "session.json")])


def test_who_takes_sharing_back_leaves_what_was_computed_from_what_was_shared_too(lab: Lab, capsys, monkeypatch) -> None:
    valid(monkeypatch)
    shared = derivative(lab.shared / "derivatives" / "emolab-report")
    inside = derivative(lab.bids / "derivatives" / "emolab-report")
    apart = derivative(lab.home / "reports", source="../shared")
    before = snapshot(inside)
    code, said = told(lab, "--scope", "share", "--bids", str(apart), capsys=capsys)
    assert (code, said["left"]) == (0, [])
    assert (left(lab.shared), left(apart)) == ({}, {})
    assert list((shared).glob("sub-*")) == list(apart.glob("sub-*")) == []
    assert snapshot(inside) == before


@pytest.mark.parametrize("scope", ["all", "train"])
def test_a_group_page_that_lies_elsewhere_is_made_again_from_its_dataset_or_removed(
    scope: str, lab: Lab, capsys, monkeypatch
) -> None:
    valid(monkeypatch)
    here = derivative(lab.home / "reports", source="../bids")
    lost = derivative(lab.home / "lost", source="../not-there")
    code, said = told(lab, "--scope", scope, "--bids", str(here), "--bids", str(lost), capsys=capsys)
    assert (code, said["left"]) == (0, [])
    assert "0.97" not in (here / "group_report.html").read_text(encoding="utf-8")
    assert (f"sub-{LABEL}" in (here / "group_report.tsv").read_text(encoding="utf-8")) is (scope != "all")
    assert not list(lost.glob("group_report.*"))
    assert [note for note in said["notes"] if str(lost) in note and "none of those that were named" in note]


def test_arrays_of_strangers_stay_whatever_the_folders_above_are_called(lab: Lab, capsys) -> None:
    theirs = lab.bids / "derivatives" / "theirs"
    (theirs / "cache").mkdir(parents=True)
    (theirs / "figures").mkdir()
    (theirs / "figures" / f"sub-{LABEL}_x.png").write_bytes(b"goes: it is named after the participant")
    for name in ("embedding.npz", "cache/all.npz"):
        np.savez(theirs / name, x=np.zeros(3))
    (theirs / "figures" / "all.png").write_bytes(b"stays")
    np.savez(lab.trained / "mine.npz", x=np.zeros(3))  # in none of our caches
    for scope in ("train", "all"):
        _, said = told(lab, "--scope", scope, capsys=capsys)
        assert [note for note in said["notes"] if f"{theirs / 'cache' / 'all.npz'}: does not say whose it is" in note]
        assert {p.name for p in theirs.rglob("*") if p.suffix in (".npz", ".png")} >= {"embedding.npz", "all.npz", "all.png"}
    assert (lab.trained / "mine.npz").exists()
    assert not (theirs / "figures" / f"sub-{LABEL}_x.png").exists()


def test_features_of_a_training_that_was_stopped_can_be_withdrawn(lab: Lab, capsys) -> None:
    out = lab.home / "out"
    out.mkdir()
    shutil.copytree(lab.trained / "cache", out / "cache")  # what there is before the description is written
    before = canaries.found(out, LABEL)
    code, said = told(lab, "--scope", "train", "--bids", str(out), capsys=capsys)
    assert (bool(before), code, said["left"]) == (True, 0, [])
    assert canaries.found(out, LABEL) == []
    assert len(list((out / "cache").glob("*.npz"))) == 1  # the other's
    assert [path.name for path in out.iterdir()] == ["cache"]


def test_a_run_of_which_nothing_was_recorded_forgets_whom_it_replaced(lab: Lab, capsys) -> None:
    other = Session.load(lab.data / "sub-03/ses-01/run-01/session.json")
    path = lab.data / "sub-03/ses-01/run-02/not-recorded.json"
    path.parent.mkdir()
    NotRecorded(reason="no headset", session=other).save(path)
    assert other.replaces == LABEL
    assert told(lab, capsys=capsys)[0] == 0
    assert NotRecorded.load(path).session.replaces is None


@pytest.mark.parametrize("held", [False, True])
def test_a_lock_of_the_machine_that_a_dead_launcher_left_forgets_them_and_one_that_is_held_stays(
    held: bool, lab: Lab, capsys, monkeypatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(lab.home / "state"))
    lock = Lock(machine_folder())
    lock.__enter__()
    lock.name(run=lab.run)
    other = lab.data / f"sub-{LABEL}0"
    assert left_of(machine_folder(), lab.run.parents[1]) is None  # this process lives
    if not held:
        text = lock.path.read_text(encoding="utf-8")
        lock.path.write_text(text.replace(str(os.getpid()), "999999999"), encoding="utf-8")  # no process has this number
        assert left_of(machine_folder(), lab.run.parents[1]) == lock.path
    assert left_of(machine_folder(), other) is None
    before = lock.path.read_bytes()
    run(lab, "--dry-run", capsys=capsys)
    assert lock.path.read_bytes() == before
    code, said = told(lab, capsys=capsys)
    assert code == 0
    assert (str(lock.path) in said["changed"], lock.path.read_bytes() == before) == (not held, held)
    lock.__exit__()


def test_a_folder_that_holds_something_else_is_refused(lab: Lab) -> None:
    (lab.home / "other" / "cache").mkdir(parents=True)
    with pytest.raises(job.WithdrawError, match="is no dataset of emolab"):
        job.check(job.Asked(LABEL, lab.data, (lab.home / "other",)))
