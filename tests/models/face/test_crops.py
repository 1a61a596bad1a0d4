"""From a video and its frame times to crops: the right frame, the right cut, and missing where there is nothing."""

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import cv2
import numpy as np
import pytest

from models.bids import BidsError
from models.face import crops, video
from models.face.crops import FaceData, face_features
from models.face.patch_attention import load_backbone
from models.face.pixels import CROP_PX, centred, crop, pool96
from models.face.video import decode, nearest_frames, read_frame_times, sample_times
from tests.models.face.videos import SIZE, face, film, moved, plain, recording, window

STEP = 1 / 15


def _onsets(n: int, start: float = 0.0) -> list[float]:
    return [start + i * STEP for i in range(n)]


def test_frames_are_sampled_in_the_middle_of_equal_parts() -> None:
    np.testing.assert_allclose(sample_times(10.0, 13.0, 5), [10.3, 10.9, 11.5, 12.1, 12.7])


def test_the_nearest_frame_is_taken_by_time_not_by_number() -> None:
    onsets = np.array([0.0, 0.1, 0.9, 1.0, 1.02])  # a camera that paused
    times = np.array([[0.04, 0.52, 1.0]])
    assert nearest_frames(onsets, times).tolist() == [[0, -1, 3]], "0.52 s lies in the pause"
    assert nearest_frames(np.array([]), times).tolist() == [[-1, -1, -1]]
    assert nearest_frames(np.array([0.5]), times).tolist() == [[-1, 0, -1]]


def test_decoding_yields_the_wanted_frames_with_their_own_pixels(tmp_path: Path) -> None:
    path = film(recording(tmp_path), [plain(20 * i + 20) for i in range(10)], _onsets(10))
    seen = {index: float(image.mean()) for index, image in decode(path, [2, 7])}
    assert seen == {2: pytest.approx(60, abs=4), 7: pytest.approx(160, abs=4)}


def _with_key_frames(path: Path, n: int) -> Path:
    """Write frames that get brighter, a key frame every eight, with frames between that look ahead."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=15, options={"g": "8", "bf": "2", "qp": "10"})
        stream.width, stream.height, stream.pix_fmt = SIZE[0], SIZE[1], "yuv420p"
        for index in range(n):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(plain(20 + 4 * index), format="bgr24")))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("ending", ["mkv", "mp4"])
def test_a_few_frames_are_picked_without_decoding_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    path, wanted = _with_key_frames(tmp_path / f"film.{ending}", 50), [9, 10, 33, 49]
    whole = list(decode(path, wanted))
    n_decoded, turned = Counter[str](), av.container.InputContainer.decode

    def counted(self: Any, *streams: Any, **given: Any) -> Iterator[Any]:
        for frame in turned(self, *streams, **given):
            n_decoded["frames"] += 1
            yield frame

    class Watched:
        def __init__(self, name: str) -> None:
            self.container = av.open(name)
            self.streams, self.seek, self.demux = self.container.streams, self.container.seek, self.container.demux

        def __enter__(self) -> "Watched":
            return self

        def __exit__(self, *error: object) -> None:
            self.container.close()

        def decode(self, *streams: Any, **given: Any) -> Iterator[Any]:
            return counted(self.container, *streams, **given)

    monkeypatch.setattr(video, "av", SimpleNamespace(open=Watched, error=av.error))
    picked = list(video.pick(path, wanted))
    assert [index for index, _ in picked] == wanted and 0 < n_decoded["frames"] <= 4 * 9
    for (_, one), (_, other) in zip(picked, whole, strict=True):
        np.testing.assert_array_equal(one, other)
    assert [index for index, _ in video.pick(path, [3, 99])] == [3], "what is not there is left out"


def test_a_window_gets_the_faces_of_its_own_time(tmp_path: Path) -> None:
    files = recording(tmp_path)
    happy, sad = [face("happiness")] * 45, [face("sadness")] * 45
    film(files, happy + sad, _onsets(90, start=2.0))
    data = face_features([files], [window(5.0), window(2.0)], n_frames=3)
    assert data.x.shape == (2, 3, 96) and data.found.all() and data.coverage.tolist() == [1.0, 1.0]
    np.testing.assert_allclose(data.frame_s[0], [5.5, 6.5, 7.5], atol=STEP)
    swapped = face_features([files], [window(2.0), window(5.0)], n_frames=3)
    np.testing.assert_allclose(data.x, swapped.x[::-1], atol=1e-6)
    assert np.abs(data.x[0].mean(0) - data.x[1].mean(0)).max() > 0.5, "the two expressions differ"


def test_a_frame_without_a_face_is_missing_and_lowers_the_coverage(tmp_path: Path) -> None:
    files = recording(tmp_path)
    film(files, [plain(128)] * 20 + [face()] * 25, _onsets(45))
    data = face_features([files], [window(0.0)], n_frames=5)
    assert data.found.tolist() == [[False, False, True, True, True]]
    assert data.coverage.tolist() == [pytest.approx(0.6)]
    assert np.isnan(data.x[0, :2]).all() and np.isfinite(data.x[0, 2:]).all()
    assert (data.frame[0] >= 0).all(), "the frames are there, only their faces are not"


def test_a_window_outside_the_video_is_missing(tmp_path: Path) -> None:
    files = recording(tmp_path)
    film(files, [face()] * 15, _onsets(15))
    data = face_features([files], [window(60.0)], n_frames=3)
    assert np.isnan(data.x).all() and (data.frame == -1).all() and data.coverage.tolist() == [0.0]


def test_a_recording_without_a_video_is_missing(tmp_path: Path) -> None:
    data = face_features([recording(tmp_path)], [window(0.0)])
    assert np.isnan(data.x).all() and not data.found.any()


def test_without_consent_to_the_face_the_video_is_not_opened(tmp_path: Path) -> None:
    files = recording(tmp_path, scopes="eeg+train")
    film(files, [face()] * 45, _onsets(45)).write_bytes(b"would be an error if it were opened")
    assert not face_features([files], [window(0.0)]).found.any()


def test_a_split_video_serves_each_window_from_its_part(tmp_path: Path) -> None:
    files = recording(tmp_path)
    film(files, [face("happiness")] * 45, _onsets(45))
    film(files, [face("sadness")] * 45, _onsets(45, start=30.0), part="_split-1")
    data = face_features([files], [window(0.0), window(30.0), window(15.0)], n_frames=3)
    assert data.coverage.tolist() == [1.0, 1.0, 0.0]
    assert data.frame_s[1, 0] == pytest.approx(30.5, abs=STEP)


def test_the_cache_serves_the_same_numbers_without_the_detector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, cache = recording(tmp_path), tmp_path / "cache"
    film(files, [face()] * 45, _onsets(45))
    first = face_features([files], [window(0.0)], cache=cache)

    def no_more(*_: object) -> None:
        raise AssertionError("decoded again")

    crops._crops_once.cache_clear()
    monkeypatch.setattr(video, "decode", no_more)
    again = face_features([files], [window(0.0)], cache=cache)
    for name in ("x", "found", "frame", "frame_s"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))


def test_other_code_makes_other_features(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, cache = recording(tmp_path), tmp_path / "cache"
    film(files, [face()] * 45, _onsets(45))
    face_features([files], [window(0.0)], cache=cache)
    monkeypatch.setattr(crops, "_code", lambda: "a line was changed")
    face_features([files], [window(0.0)], cache=cache)
    assert len(list(cache.iterdir())) == 2


def test_a_second_kind_of_features_does_not_decode_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, decoded = recording(tmp_path), []
    film(files, [face()] * 45, _onsets(45))

    def counted(*args: Any) -> Any:
        decoded.append(args)
        return decode(*args)

    monkeypatch.setattr(video, "decode", counted)
    face_features([files], [window(0.0)])
    face_features([files], [window(0.0)], kind="seeded", backbone=load_backbone())
    assert len(decoded) == 1


def test_the_cache_says_whose_face_it_is_and_holds_no_pictures(tmp_path: Path) -> None:
    files = recording(tmp_path, "07")
    film(files, [face()] * 45, _onsets(45))
    face_features([files], [window(0.0, participant="07")], cache=tmp_path / "cache")
    (entry,) = (tmp_path / "cache").iterdir()
    with np.load(entry) as stored:
        assert (stored["participant"].item(), stored["session"].item()) == ("07", "01")
        assert "crops" not in stored and all(stored[name].dtype != np.uint8 for name in stored.files)


def test_a_changed_video_or_table_is_not_served_from_the_cache(tmp_path: Path) -> None:
    files, cache = recording(tmp_path), tmp_path / "cache"
    film(files, [face("happiness")] * 20 + [face()] * 25, _onsets(45))
    before = face_features([files], [window(0.0)], cache=cache)
    film(files, [face("sadness")] * 20 + [face()] * 25, _onsets(45))
    after = face_features([files], [window(0.0)], cache=cache)
    assert not np.array_equal(before.x, after.x)
    film(files, [face("sadness")] * 45, _onsets(45, start=100.0))
    assert not face_features([files], [window(0.0)], cache=cache).found.any()


def test_a_damaged_cache_entry_is_computed_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files, cache = recording(tmp_path), tmp_path / "cache"
    film(files, [face()] * 45, _onsets(45))
    first = face_features([files], [window(0.0)], cache=cache)
    for entry in cache.iterdir():
        entry.write_bytes(entry.read_bytes()[:300])
    again = face_features([files], [window(0.0)], cache=cache)
    np.testing.assert_array_equal(first.x, again.x)
    assert caplog.text.count("computed again") == 1


def test_progress_counts_recordings(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    people = [recording(tmp_path, name) for name in ("01", "02")]
    face_features(people, [window(0.0)], progress=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 2), (2, 2)]


def test_more_than_one_person_is_noticed_and_the_participant_kept(tmp_path: Path) -> None:
    files = recording(tmp_path)
    pair = np.hstack([face("happiness", seed=1), face("sadness", seed=2)])  # two people, as large as each other
    alone = np.hstack([face("happiness", seed=1), plain(128)])
    film(files, [alone] * 30 + [pair] * 15, _onsets(45))
    data = face_features([files], [window(0.0)], n_frames=3)
    assert data.n_faces is not None
    assert data.n_faces.tolist() == [[1, 1, 2]] and data.others.tolist() == [pytest.approx(1 / 3)]
    assert np.abs(data.x[0, 2] - data.x[0, 0]).max() < 0.1, "the same person's face"


@pytest.mark.parametrize("turn_deg", [90, -90, 180])
def test_a_camera_on_its_side_is_set_upright(turn_deg: int, tmp_path: Path) -> None:
    files, upright = recording(tmp_path), face()
    quarters = turn_deg // 90
    film(files, [np.ascontiguousarray(np.rot90(upright, -quarters))] * 45, _onsets(45), turn_deg=turn_deg)
    (_, shown), *_ = decode(video.videos(files)[0], [0])
    assert shown.shape == upright.shape
    assert np.abs(shown.astype(float) - upright).mean() < 4
    assert face_features([files], [window(0.0)], n_frames=3).found.all()


def test_a_tilted_face_is_cut_with_its_eyes_level() -> None:
    image, box = face(), np.array([90.0, 40, 140, 140])
    turn = cv2.getRotationMatrix2D((160, 110), -15, 1.0)
    tilted = cv2.warpAffine(image, turn, (320, 240), borderMode=cv2.BORDER_REPLICATE)
    level, turned, left = crop(image, box), crop(tilted, box, roll_deg=15), crop(tilted, box)
    middle = np.s_[20:92, 20:92]
    assert np.abs(turned[middle].astype(float) - level[middle]).mean() < 4
    assert np.abs(left[middle].astype(float) - level[middle]).mean() > 8


def test_a_video_that_breaks_off_gives_what_it_holds(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = recording(tmp_path)
    rng = np.random.default_rng(1)
    path = film(files, [moved(face(), rng) for _ in range(48)], _onsets(48))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with caplog.at_level(logging.WARNING):
        data = face_features([files], [window(0.0)], n_frames=5)
    assert data.found[0, 0] and not data.found[0, -1]
    assert "are not in the video" in caplog.text


def test_what_is_no_video_is_one_line_with_the_file(tmp_path: Path) -> None:
    files = recording(tmp_path)
    film(files, [face()] * 3, _onsets(3)).write_text("no video", encoding="utf-8")
    with pytest.raises(BidsError, match=r"_video\.mkv: cannot be read as a video .*; export the recording again"):
        face_features([files], [window(0.0)], n_frames=30)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (None, "is missing"),
        ("frame\ttime\n0\t0.0\n", "onset: no such column"),
        ("frame\tonset\n0\tsoon\n", "could not convert"),
        ("frame\tonset\n0\t0.0\n1\t0.2\n2\t0.1\n", "onset: falls at frame 2"),
    ],
)
def test_a_bad_frame_table_is_one_line_with_the_file(table: str | None, says: str, tmp_path: Path) -> None:
    path = film(recording(tmp_path), [plain(0)] * 3, _onsets(3))
    beside = path.with_name(path.name.replace("_video.mkv", "_frames.tsv"))
    beside.unlink()
    if table is not None:
        beside.write_text(table, encoding="utf-8")
    with pytest.raises(BidsError, match=says) as error:
        read_frame_times(path)
    assert str(beside) in str(error.value) and "\n" not in str(error.value)


def test_a_frame_without_a_time_is_left_out(tmp_path: Path) -> None:
    path = film(recording(tmp_path), [plain(0)] * 3, _onsets(3))
    path.with_name(path.name.replace("_video.mkv", "_frames.tsv")).write_text("frame\tonset\n0\t0.5\n1\tn/a\n2\t0.7\n")
    numbers, onsets = read_frame_times(path)
    assert numbers.tolist() == [0, 2] and onsets.tolist() == [0.5, 0.7]


def test_the_crop_is_a_square_around_the_box_in_rgb() -> None:
    image = plain(0)
    image[100:140, 150:190] = (255, 128, 0)  # blue, green, red
    cut = crop(image, np.array([150.0, 100, 40, 40]))
    assert cut.shape == (CROP_PX, CROP_PX, 3)
    assert cut[56, 56].tolist() == [0, 128, 255]
    np.testing.assert_allclose((cut[..., 2] > 127).mean(), (40 / 48) ** 2, atol=0.03)


def test_a_face_at_the_edge_is_cropped_whole_with_the_edge_repeated() -> None:
    image = plain(90)
    assert (crop(image, np.array([-10.0, 200, 80, 80])) == 90).all()


def test_light_does_not_change_the_pooled_pixels() -> None:
    image = crop(face(), np.array([90.0, 40, 140, 140]))
    dim, bright = (np.clip(image.astype(float) * gain + 10, 0, 255).astype(np.uint8) for gain in (0.5, 0.9))
    np.testing.assert_allclose(pool96(dim[None]), pool96(bright[None]), atol=0.05)
    assert pool96(dim[None]).std() == pytest.approx(1.0, abs=1e-3)
    background = image.copy()
    background[:20], background[:, :15] = 0, 255
    np.testing.assert_array_equal(pool96(image[None]), pool96(background[None]))
    np.testing.assert_allclose(pool96(plain(7)[None, :112, :112]), np.zeros((1, 96)), atol=1e-3)
    assert pool96(np.zeros((0, 112, 112, 3), np.uint8)).shape == (0, 96)


def test_the_mean_face_of_a_recording_is_taken_off_and_missing_faces_stay_missing() -> None:
    x = np.array([[[1.0, 10], [3, 20]], [[5, 60], [np.nan, np.nan]]], dtype=np.float32)
    np.testing.assert_array_equal(centred(x)[:, 0], [[-2, -20], [2, 30]])
    assert np.isnan(centred(x)[1, 1]).all()
    nothing = np.full((2, 3, 96), np.nan, np.float32)
    np.testing.assert_array_equal(centred(nothing), nothing)


def test_each_recording_has_its_own_mean_and_pretrained_maps_are_left_as_they_are(tmp_path: Path) -> None:
    people = [recording(tmp_path, name) for name in ("01", "02")]
    for seed, files in enumerate(people):
        film(files, [face("happiness", seed=seed)] * 45 + [face("sadness", seed=seed)] * 45, _onsets(90))
    windows = [window(t0, participant=who) for who in ("01", "02") for t0 in (0.0, 3.0)]
    data = face_features(people, windows, n_frames=2)
    for rows in (data.x[:2], data.x[2:]):
        np.testing.assert_allclose(rows.mean(axis=(0, 1)), 0, atol=1e-5)
    maps = face_features(people[:1], windows[:2], kind="imagenet", backbone=load_backbone(), n_frames=2)
    assert maps.x.shape == (2, 2, 160, 4, 4) and np.abs(maps.x.mean(axis=(0, 1))).max() > 0.1 * np.abs(maps.x).max()


def test_coverage_is_the_share_of_frames_with_a_face() -> None:
    found = np.array([[True, False], [False, False]])
    blank = np.zeros((2, 2))
    data = FaceData(x=blank.astype(np.float32), found=found, frame_s=blank, frame=blank.astype(np.int64), kind="pool96")
    assert data.coverage.tolist() == [0.5, 0.0]
