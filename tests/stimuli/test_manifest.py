"""The table of clips."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimuli import manifest
from stimuli.manifest import COLUMNS, Entry, ManifestError

GOOD = {
    "file": "clips/fear02.mp4", "sha256": "a" * 64, "stim_id": "fear02", "target": "fear", "start_s": "1.5", "stop_s": "7.5",
    "licence": "CC-BY-4.0", "source": "https://example.org/fear02.mp4",
}  # fmt: skip


def a_table(folder: Path, *changes: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> Path:
    rows = [GOOD | change for change in changes or ({},)]
    lines = ["\t".join(columns), *("\t".join(row[c] for c in columns) for row in rows)]
    path = folder / "clips.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_clip_is_read_with_its_absolute_path(tmp_path: Path) -> None:
    (entry,) = manifest.load(a_table(tmp_path))
    assert entry.file == tmp_path / "clips" / "fear02.mp4"
    assert (entry.stim_id, entry.target, entry.start_s, entry.stop_s, entry.duration_s) == ("fear02", "fear", 1.5, 7.5, 6.0)
    assert (entry.sha256, entry.licence, entry.source) == ("a" * 64, "CC-BY-4.0", "https://example.org/fear02.mp4")
    assert entry.where == f"{tmp_path / 'clips.tsv'}, line 2"


def test_the_columns_may_stand_in_any_order_and_come_from_a_spreadsheet(tmp_path: Path) -> None:
    path = a_table(tmp_path, columns=COLUMNS[::-1])
    expected = manifest.load(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert manifest.load(path) == expected


def test_what_is_written_reads_back_equal(tmp_path: Path) -> None:
    entries = manifest.load(a_table(tmp_path, {}, {"stim_id": "fear03", "file": "phim/sợ hãi.mp4"}))
    manifest.write(tmp_path / "clips.tsv", entries)
    assert manifest.load(tmp_path / "clips.tsv") == entries


def test_whether_a_clip_may_be_passed_on_is_told_or_taken_for_no(tmp_path: Path) -> None:
    (old,) = manifest.load(a_table(tmp_path))
    columns = (*COLUMNS, "redistributable")
    told = manifest.load(
        a_table(tmp_path, {"redistributable": "yes"}, {"redistributable": "", "stim_id": "b"}, columns=columns)
    )
    assert (old.redistributable, [e.redistributable for e in told]) == (False, [True, False])
    with pytest.raises(ManifestError, match="line 2: redistributable = 'perhaps': write yes or no"):
        manifest.load(a_table(tmp_path, {"redistributable": "perhaps"}, columns=columns))
    with pytest.raises(ManifestError, match="line 1: columns = "):
        manifest.load(a_table(tmp_path, columns=(*COLUMNS, "file")))


def test_a_table_travels_without_its_clips_and_says_where_they_come_from(tmp_path: Path) -> None:
    """On another machine the table reads; only who wants to play or check the clips is told what to fetch."""
    (entry,) = manifest.load(a_table(tmp_path))
    assert (entry.stim_id, entry.sha256, entry.licence) == ("fear02", "a" * 64, "CC-BY-4.0")
    fault = manifest.fault_of(entry)
    assert fault and "no such file; put the clip there (source: https://example.org/fear02.mp4)" in fault


def test_a_hash_that_is_not_filled_in_is_told_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "fear02.mp4").write_bytes(b"film")
    (entry,) = manifest.load(a_table(tmp_path, {"sha256": "0" * 64}))
    fault = manifest.fault_of(entry)
    assert fault and "sha256 = 000..: is not filled in; write d0607f7ad2628b2af9158dfba06ce87166e66b15bf68f8f358" in fault


BAD_CELLS = [
    ("file", "../fear.mp4"), ("file", "/etc/passwd"), ("file", "..\\fear.mp4"), ("file", "C:\\fear.mp4"), ("file", ""),
    ("file", "."), ("file", "a/../../b.mp4"), ("file", "a\x00b"), ("sha256", "abc"), ("sha256", "g" * 64), ("stim_id", ""),
    ("stim_id", "fear 02"), ("stim_id", "ｆear"), ("stim_id", "x" * 65), ("target", "Fear"), ("target", ""), ("start_s", "one"),
    ("start_s", "-1"), ("start_s", "nan"), ("start_s", ""), ("stop_s", "inf"), ("stop_s", "6000000"), ("stop_s", "1.5"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value"), BAD_CELLS)
def test_a_bad_cell_is_refused_with_file_line_key_value_and_cure(tmp_path: Path, key: str, value: str) -> None:
    with pytest.raises(ManifestError) as refused:
        manifest.load(a_table(tmp_path, {"stim_id": "good"}, {key: value}))
    text = str(refused.value)
    assert text.startswith(f"{tmp_path / 'clips.tsv'}, line 3: {key} = ")
    assert "\n" not in text


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "fear02.mp4").write_bytes(b"film")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "clips").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ManifestError, match=r"line 2: file = 'clips/fear02\.mp4': leaves the folder"):
        manifest.load(a_table(tmp_path / "study"))


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clips").symlink_to(tmp_path / "clips")
    with pytest.raises(ManifestError, match="file = "):
        manifest.verify(manifest.load(a_table(tmp_path)))


def test_a_stim_id_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"line 3: stim_id = 'fear02': stands twice"):
        manifest.load(a_table(tmp_path, {}, {"file": "other.mp4"}))


def test_all_faults_are_found_at_once(tmp_path: Path) -> None:
    entries, faults = manifest.read(a_table(tmp_path, {"stop_s": "x"}, {}, {"target": "?"}, {}))
    assert [e.stim_id for e in entries] == ["fear02", "fear02"]
    assert [fault.split(": ")[1] for fault in faults] == ["stop_s = 'x'", "target = '?'", "stim_id = 'fear02'"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "columns = "), ("file\tsha256\n", "columns = "), ("\t".join(COLUMNS) + "\n", "names no clip"),
     ("\t".join(COLUMNS) + "\nfear.mp4\n", "line 2: has 1 cells"), ("\udcff", "not a text file")],
)  # fmt: skip
def test_what_is_no_table_of_clips_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "clips.tsv"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ManifestError, match=said):
        manifest.load(path)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"nothing\.tsv: no such file"):
        manifest.load(tmp_path / "nothing.tsv")


@given(st.binary(max_size=300))
def test_a_damaged_table_raises_nothing_but_our_own_error(data: bytes) -> None:
    heading = "\t".join(COLUMNS).encode() + b"\n"
    for text in (data, heading + data, heading + b"\t".join([data] * len(COLUMNS))):
        try:
            entries = manifest.load(_Memory(text))  # type: ignore[arg-type]
        except ManifestError as error:
            assert "\n" not in str(error)
        else:
            assert all(isinstance(e, Entry) for e in entries)


class _Memory:
    """A file that never touches the disk."""

    parent = Path("/study")

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read_text(self, *, encoding: str) -> str:
        return self._data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")

    def __str__(self) -> str:
        return "clips.tsv"


def test_a_missing_clip_and_another_clip_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    film = tmp_path / "clips" / "fear02.mp4"
    film.write_bytes(b"film")
    right = "d0607f7ad2628b2af9158dfba06ce87166e66b15bf68f8f358f9aa27ccb7c321"  # printf film | sha256sum
    (entry,) = manifest.load(a_table(tmp_path, {"sha256": right.upper()}))
    manifest.verify([entry])
    film.write_bytes(b"another film")
    manifest.verify([entry], hashes=False)
    with pytest.raises(ManifestError, match=rf"line 2: sha256 = {right[:12]}\.\.: fear02\.mp4 has .* it is another file"):
        manifest.verify([entry])
    film.unlink()
    with pytest.raises(ManifestError, match=r"line 2: file = '.*fear02\.mp4': no such file; .*https://example\.org"):
        manifest.verify([entry], hashes=False)
