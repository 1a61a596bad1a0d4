"""emo-withdraw: a participant who is a canary everywhere is withdrawn, and every byte is searched."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from bids_export import dataset, labrecorder, privacy, validate
from bids_export.withdraw import cli, job, of_data, of_dataset, of_derivative
from models import bids, card, label_job
from protocol import commands, tombstone
from protocol.folder import FolderError, Manifest, Session, sha256
from tests.bids_export import canaries
from tests.bids_export.test_shareable import frames
from tests.bids_export.withdrawn_lab import LABEL, NAME, NOTE, RATING, TAG, Lab, build, valid

SAID = {"label": LABEL, "note": NOTE, "rating": RATING, "tag": TAG, "name": NAME}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return build(tmp_path_factory.mktemp("withdraw"))


@pytest.fixture
def lab(first: Lab, tmp_path: Path) -> Lab:
    """A copy to withdraw from."""
    shutil.copytree(first.home, tmp_path / "lab", symlinks=True)
    return Lab(tmp_path / "lab")


def run(lab: Lab, *options: str, label: str = LABEL, capsys) -> tuple[int, str, str]:
    places = ("--data", str(lab.data), "--bids", str(lab.bids), "--bids", str(lab.shared))
    with pytest.raises(SystemExit) as ended:
        commands.run(cli.app, cli.BAD_INPUT, args=[label, *places, *options])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def left(folder: Path) -> dict[str, list[str]]:
    """Return where which canary is."""
    return {what: hits for what, text in SAID.items() if (hits := canaries.found(folder, text))}


def faces(lab: Lab) -> list[bytes]:
    return frames(next(lab.run.glob("*.mkv")))[:3]


def snapshot(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def people(root: Path) -> dict[str, dict[str, str]]:
    with (root / "participants.tsv").open(encoding="utf-8") as file:
        return {row["participant_id"]: row for row in csv.DictReader(file, delimiter="\t")}


def test_before_it_the_participant_is_everywhere(first: Lab) -> None:
    assert {len(hits) > 0 for hits in left(first.home).values()} == {True}
    assert set(left(first.data)) == set(SAID)
    assert set(left(first.bids)) >= {"label", "rating", "note"}
    assert "label" in left(first.trained / "cache")  # UTF-32 inside of npz


def test_who_withdraws_leaves_nothing_but_the_tombstone(lab: Lab, capsys) -> None:
    bytes_of_face = faces(lab)
    code, out, err = run(lab, "--yes", "--json", capsys=capsys)
    assert (code, err) == (0, "")
    assert left(lab.home) == {}
    assert [
        hits for piece in bytes_of_face for hits in canaries.found(lab.home, piece) if "03" not in hits and "02" not in hits
    ] == []
    said = json.loads(out)
    assert [Path(path).name for path in said["models"]] == ["eeg.safetensors", "face.safetensors"]
    stone = json.loads(Path(said["tombstone"]).read_text(encoding="utf-8"))
    assert (stone["scope"], stone["done"] is not None, len(stone["who"])) == ("all", True, 32)
    assert Path(said["tombstone"]).stat().st_mode & 0o777 == 0o600


def test_the_others_stay_and_what_counts_people_is_made_again(lab: Lab, capsys) -> None:
    before = snapshot(lab.home)
    run(lab, "--yes", capsys=capsys)
    after = snapshot(lab.home)
    theirs = {name for name in before if "sub-02" in name or ("sub-03" in name and name.startswith("bids/sub-03"))}
    assert {name for name in theirs if before[name] != after.get(name)} == set()
    assert list(people(lab.bids)) == ["sub-02", "sub-03"]
    assert "of 2 participants" in (lab.bids / "README.md").read_text(encoding="utf-8")
    assert validate.validate(lab.bids).errors == ()
    assert Session.load(lab.data / "sub-03/ses-01/run-01/session.json").replaces is None
    done = dataset.export(lab.data, lab.bids, dataset.Options())  # the manifest fits the session.json that was changed
    assert done.verdict.errors == ()
    assert left(lab.home) == {}


REMOVERS: dict[str, tuple[object, str]] = {
    "data": (of_data, "withdraw"), "dataset": (of_dataset, "withdraw"), "derivatives": (of_derivative, "withdraw"),
    "models": (of_derivative, "mark_models"), "group outputs": (of_derivative, "_together"),
    "caches": (of_derivative, "_arrays"),
    "tables": (of_dataset, "_tables"), "memories": (of_dataset, "_left"), "reports": (of_data, "_named"),
    "who replaced them": (of_data, "_rewrite"),
}  # fmt: skip


@pytest.mark.parametrize("what", list(REMOVERS))
def test_what_a_remover_that_is_left_out_leaves_is_found_and_said(what: str, lab: Lab, capsys, monkeypatch) -> None:
    room, name = REMOVERS[what]
    monkeypatch.setattr(room, name, lambda *args, **kwargs: {} if name == "_left" else [])
    code, _, _ = run(lab, "--yes", capsys=capsys)
    assert left(lab.home)
    assert code == 1


def test_a_face_that_is_withdrawn_is_in_no_byte_and_the_rest_stays(lab: Lab, capsys) -> None:
    shutil.rmtree(lab.data / "sub-02")  # the videos of the simulated faces are alike
    shutil.rmtree(lab.data / "sub-03")
    for label in ("02", "03"):
        shutil.rmtree(lab.bids / f"sub-{label}" / "ses-01" / "beh")
    next((lab.trained / "figures" / "clips").glob("sub-02*")).unlink()
    pieces = faces(lab)
    assert {bool(canaries.found(lab.home / part, piece)) for piece in pieces for part in ("data", "bids")} == {True}
    eeg = snapshot(lab.bids / f"sub-{LABEL}" / "ses-01" / "eeg")
    code, out, _ = run(lab, "--scope", "face", "--yes", "--json", capsys=capsys)
    assert code == 0
    assert [hit for piece in pieces for hit in canaries.found(lab.home, piece)] == []
    assert canaries.found(lab.trained / "cache", LABEL) == []
    assert not list(lab.trained.rglob(f"sub-{LABEL}*_desc-*"))
    assert snapshot(lab.bids / f"sub-{LABEL}" / "ses-01" / "eeg") == eeg
    assert people(lab.bids)[f"sub-{LABEL}"]["consent"] == "eeg+share+train"
    assert Session.load(lab.run / "session.json").consent.scopes == ("eeg", "share", "train")
    assert {Path(path).name for path in json.loads(out)["models"]} == {"face.safetensors"}
    assert all((lab.run / f.path).exists() and sha256(lab.run / f.path) == f.sha256
               for f in Manifest.load(lab.run / "manifest.json").files)  # fmt: skip
    scans = next((lab.bids / f"sub-{LABEL}").rglob("*_scans.tsv")).read_text(encoding="utf-8")
    assert "_recording-face" not in scans
    assert "_eeg.vhdr" in scans


def test_who_takes_training_back_is_not_learnt_from_any_more(lab: Lab, capsys, monkeypatch) -> None:
    raw = snapshot(lab.bids / f"sub-{LABEL}")
    code, _, _ = run(lab, "--scope", "train", "--yes", capsys=capsys)
    assert code == 0
    assert snapshot(lab.bids / f"sub-{LABEL}") == raw
    assert {files.participant for files in bids.find_recordings(lab.bids)} == {"02", "03"}  # what emo-train reads
    assert canaries.found(lab.trained, LABEL) == []
    assert Session.load(lab.run / "session.json").consent.scopes == ("eeg", "face", "share")
    valid(monkeypatch)
    done = dataset.export(lab.data, lab.bids, dataset.Options())
    assert people(done.root)[f"sub-{LABEL}"]["consent"] == "eeg+face+share"


def test_who_takes_sharing_back_leaves_what_was_made_to_be_shared(lab: Lab, capsys) -> None:
    assert canaries.found(lab.shared, LABEL)
    inside, trained = snapshot(lab.bids / f"sub-{LABEL}"), snapshot(lab.trained)
    code, out, _ = run(lab, "--scope", "share", "--yes", "--json", capsys=capsys)
    assert code == 0
    assert left(lab.shared) == {}
    assert (snapshot(lab.bids / f"sub-{LABEL}"), snapshot(lab.trained)) == (inside, trained)
    assert people(lab.bids)[f"sub-{LABEL}"]["consent"] == "eeg+face+train"
    assert json.loads(out)["models"] == []


@pytest.mark.parametrize("shares", [True, False])
def test_what_counts_people_in_a_dataset_made_to_be_shared_counts_one_less(shares: bool, lab: Lab, capsys, monkeypatch) -> None:
    if not shares:  # the dataset only says that there was somebody who did not agree
        run(lab, "--scope", "share", "--yes", capsys=capsys)
        shutil.rmtree(lab.shared)
        valid(monkeypatch)
        dataset.export(lab.data, lab.shared, dataset.Options(profile=privacy.of("shareable", lab.data)))
    text = {name: (lab.shared / name).read_text(encoding="utf-8") for name in ("README.md", "CHANGES")}
    n = 3 if shares else 2
    assert f"of {n} participants who" in text["README.md"] and f"- {n} participants." in text["CHANGES"]
    assert ("1 further participant took part" in text["README.md"]) is not shares
    code, out, _ = run(lab, "--yes", "--json", capsys=capsys)
    assert (code, [note for note in json.loads(out)["notes"] if "may still count" in note]) == (0, [])
    told = (lab.shared / "README.md").read_text(encoding="utf-8")
    assert "of 2 participants who" in told and "2 of 2 are kept" in told and "further participant" not in told
    assert "- 2 participants." in (lab.shared / "CHANGES").read_text(encoding="utf-8")


def test_rows_of_a_questionnaire_go_too_and_those_of_others_stay(lab: Lab, capsys) -> None:
    table = lab.bids / "phenotype" / "panas.tsv"
    table.parent.mkdir()
    table.write_text(f"participant_id\tjoy\nsub-02\t3\nsub-{LABEL}\t5\n", encoding="utf-8")
    assert run(lab, "--yes", capsys=capsys)[0] == 0
    assert table.read_text(encoding="utf-8") == "participant_id\tjoy\nsub-02\t3\n"


def test_a_readme_that_somebody_wrote_is_not_counted_in_but_named(lab: Lab, capsys) -> None:
    (lab.shared / "README.md").write_text("Three people, my own words.", encoding="utf-8")
    _, out, _ = run(lab, "--yes", "--json", capsys=capsys)
    assert [note for note in json.loads(out)["notes"] if "README.md, CHANGES: may still count" in note]
    assert (lab.shared / "README.md").read_text(encoding="utf-8") == "Three people, my own words."


def test_models_that_learnt_from_them_are_marked_and_refused(lab: Lab, capsys) -> None:
    run(lab, "--yes", capsys=capsys)
    folder = lab.trained / "models"
    assert card.load(folder / "eeg.safetensors")[1].withdrawn == 1
    left = card.load(folder / "eeg.safetensors")[1]
    assert left.participants == ("02",) and list(left.settings["recordings"].values()) == ["02"]
    with pytest.raises(card.CardError, match=r"eeg.safetensors: withdrawn = 1: .* emo-train"):
        label_job._kept(folder, "eeg")
    assert label_job._kept(folder, "old").card.withdrawn == 0


def test_a_dry_run_says_what_goes_and_changes_nothing(lab: Lab, capsys) -> None:
    before = snapshot(lab.home)
    for options in ([], ["--scope", "face"], ["--scope", "train"], ["--scope", "share"]):
        code, out, _ = run(lab, "--dry-run", "--json", *options, capsys=capsys)
        assert code == 0
        assert json.loads(out)["changed"]
    assert snapshot(lab.home) == before


@pytest.mark.parametrize(("options", "label", "match"), [
    (["--yes"], "09", "neither data nor datasets have it; they have 02, 03"), (["--yes"], "../02", "use 1 to 32 letters"),
    ([], LABEL, "--yes: not given"),
])  # fmt: skip
def test_what_cannot_be_done_is_one_line_and_changes_nothing(
    options: list[str], label: str, match: str, lab: Lab, capsys
) -> None:
    before = snapshot(lab.home)
    code, _, err = run(lab, *options, label=label, capsys=capsys)
    assert (code, len(err.splitlines())) == (2, 1)
    assert match in err
    assert snapshot(lab.home) == before


def test_when_nobody_is_left_nothing_tells_of_anybody(lab: Lab, capsys) -> None:
    for label in ("02", LABEL, "03"):
        assert run(lab, "--yes", label=label, capsys=capsys)[0] == 0
    assert [hit for label in ("02", LABEL, "03") for hit in canaries.found(lab.home, f"sub-{label}")] == []
    assert not (lab.bids / "participants.tsv").exists()


def test_recordings_that_come_back_from_a_copy_are_refused(lab: Lab, first: Lab, capsys) -> None:
    run(lab, "--yes", capsys=capsys)
    shutil.copytree(first.run.parents[1], lab.run.parents[1])
    with pytest.raises(FolderError, match=r"withdrew on .* another label; .* emo-withdraw"):
        dataset.export(lab.data, lab.bids, dataset.Options())
    assert run(lab, "--yes", capsys=capsys)[0] == 0
    assert left(lab.home) == {}


@pytest.mark.parametrize("scope", ["face", "share", "train"])
def test_a_scope_that_comes_back_from_a_copy_is_refused_and_one_that_was_agreed_to_anew_stands(
    scope: str, lab: Lab, capsys
) -> None:
    back = Session.load(lab.run / "session.json").model_copy(update={"created_wall": "2020-09-21T13:33:20Z"})
    run(lab, "--scope", scope, "--yes", capsys=capsys)
    tombstone.check(lab.data, [Session.load(lab.run / "session.json")])
    anew = back.model_copy(update={"created_wall": "2999-09-21T13:33:20Z"})
    with pytest.raises(FolderError, match=rf"run-01: {scope} was withdrawn on .* emo-withdraw {LABEL} --scope {scope} --data"):
        tombstone.check(lab.data, [anew, back])
    tombstone.check(lab.data, [anew])


@pytest.mark.parametrize("what", ["lost", "another"])
def test_without_the_secret_of_the_tombstones_nothing_goes_on(what: str, lab: Lab, capsys) -> None:
    """A data folder that was renamed leaves its secret behind: whoever withdrew would be somebody nobody knows."""
    run(lab, "--yes", capsys=capsys)
    moved = lab.home / "data2"
    lab.data.rename(moved)
    secret = lab.home / ".data2.secret"
    if what == "another":
        secret.write_text("0" * 64 + "\n", encoding="ascii")
    said = "is missing, and without it nobody" if what == "lost" else "is not the secret that .* was made with"
    before = snapshot(lab.home)
    for refused in (
        lambda: dataset.export(moved, lab.home / "new", dataset.Options()),
        lambda: privacy.of("shareable", moved),
        lambda: labrecorder._revoked(moved, "02"),
        lambda: job.withdraw(job.Asked("02", moved, (lab.bids,))),
        lambda: job.withdraw(job.Asked("02", moved, (lab.bids,), dry=True)),
    ):
        with pytest.raises(FolderError, match=rf"\.data2\.secret: {said}.*; bring back the one that lay beside"):
            refused()
    assert snapshot(lab.home) == before
    (lab.home / ".data.secret").replace(secret)
    assert dataset.export(moved, lab.home / "new", dataset.Options()).verdict.errors == ()


def test_a_dataset_without_its_data_can_be_withdrawn_from(lab: Lab, capsys, monkeypatch) -> None:
    shutil.rmtree(lab.data)
    monkeypatch.chdir(lab.home)
    with pytest.raises(SystemExit) as ended:
        commands.run(cli.app, cli.BAD_INPUT, args=[f"sub-{LABEL}", "--bids", "bids", "--yes"])
    assert ended.value.code in (0, None)
    assert left(lab.bids) == {}
    assert len(list((lab.home / ".bids.withdrawn").glob("*_all.json"))) == 1


def test_what_names_them_elsewhere_is_said(lab: Lab, capsys) -> None:
    (lab.bids / "derivatives" / "theirs").mkdir()
    np.savez(lab.bids / "derivatives" / "theirs" / "all.npz", people=np.array([LABEL, "02"]))
    code, out, _ = run(lab, "--yes", "--json", capsys=capsys)
    assert code == 1
    assert [Path(path).name for path in json.loads(out)["left"]] == ["all.npz"]
    assert canaries.found(lab.home, LABEL) == ["bids/derivatives/theirs/all.npz"]
