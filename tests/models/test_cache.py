"""What is expensive is computed once; what is damaged is computed again."""

from pathlib import Path

import numpy as np
import pytest

from models.cache import Arrays, cached, key_of


class Counted:
    """Computes the same array and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> Arrays:
        self.calls += 1
        return {"x": np.arange(1000.0), "found": np.array([True, False])}


def test_a_second_call_reads_what_the_first_one_stored(tmp_path: Path) -> None:
    compute = Counted()
    first, second = (cached(tmp_path / "cache", "k", compute) for _ in range(2))
    assert compute.calls == 1
    assert set(first) == set(second) == {"x", "found"}
    np.testing.assert_array_equal(second["x"], np.arange(1000.0))


def test_without_a_folder_nothing_is_stored() -> None:
    compute = Counted()
    cached(None, "k", compute)
    cached(None, "k", compute)
    assert compute.calls == 2


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "text"])
def test_a_damaged_entry_is_computed_again_and_mended(damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    compute = Counted()
    cached(tmp_path, "k", compute)
    entry = tmp_path / "k.npz"
    raw = bytearray(entry.read_bytes())
    middle = len(raw) // 2
    raw[middle] ^= 0xFF
    entry.write_bytes({"truncated": raw[:middle], "flipped": raw, "empty": b"", "text": b"no archive"}[damage])
    again = cached(tmp_path, "k", compute)
    assert compute.calls == 2 and "computed again" in caplog.text
    np.testing.assert_array_equal(again["x"], np.arange(1000.0))
    cached(tmp_path, "k", compute)
    assert compute.calls == 2


def test_nothing_is_left_behind_when_computing_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no camera"):
        cached(tmp_path, "k", lambda: (_ for _ in ()).throw(RuntimeError("no camera")))
    assert list(tmp_path.iterdir()) == []


def test_a_key_follows_the_bytes_of_a_file_and_the_shape_of_an_array(tmp_path: Path) -> None:
    file = tmp_path / "video.mkv"
    file.write_bytes(b"one")
    before = key_of(file, np.zeros((2, 3)), "haar", 5)
    assert before == key_of(file, np.zeros((2, 3)), "haar", 5) and len(before) == 64
    assert before != key_of(file, np.zeros((3, 2)), "haar", 5)
    file.write_bytes(b"two")
    assert before != key_of(file, np.zeros((2, 3)), "haar", 5)
