"""Folders of pictures: every layout is read as it was meant, every picture as a face, and bad ones are one line."""

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.face.image_folder import FolderError, load, read, variants
from models.face.patch_attention import load_backbone
from models.face.pixels import CROP_PX
from models.face.pretrain import learn, start_for
from models.face.training import Network, Training
from tests.models.face.videos import EMOTIONS, face

DOT = np.full((20, 20, 3), 90, np.uint8)


def _save(path: Path, image: NDArray[np.generic] = DOT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)
    return path


def _classes(root: Path, counts: dict[str, int]) -> Path:
    for name, n in counts.items():
        for index in range(n):
            _save(root / name / f"{index:03d}.png")
    return root


def _raf_db(root: Path, lines: list[str]) -> Path:
    (root / "basic/EmoLabel").mkdir(parents=True)
    (root / "basic/EmoLabel/list_patition_label.txt").write_text("\n".join(lines) + "\n")
    for line in lines:
        _save(root / "basic/Image/aligned" / f"{Path(line.split()[0]).stem}_aligned.jpg")
    return root


def test_raf_db_is_read_as_it_is_distributed_and_its_split_is_kept(tmp_path: Path) -> None:
    lines = [f"train_{n:05d}.jpg {n % 7 + 1}" for n in range(28)] + [f"test_{n:04d}.jpg {n % 7 + 1}" for n in range(7)]
    found = read(_raf_db(tmp_path, lines))
    assert found.split == "official" and found.emotions == EMOTIONS
    assert Counter(picture.part for picture in found.pictures) == {"train": 16, "test": 4}
    assert found.left_out == {"surprise": 5, "disgust": 5, "anger": 5}, "seven become four"
    by_name = {picture.path.name: picture for picture in found.pictures}
    assert by_name["train_00003_aligned.jpg"].emotion == "happiness" and by_name["test_0006_aligned.jpg"].emotion == "neutral"
    assert read(tmp_path / "basic") == found


def test_a_folder_of_classes_is_divided_eighty_to_twenty_every_emotion_in_proportion(tmp_path: Path) -> None:
    found = read(_classes(tmp_path, {"Happy": 10, "sad": 20, "angry": 3}), seed=3)
    assert found.split == "80-20" and found.emotions == ("happiness", "sadness") and found.left_out == {"anger": 3}
    sides = Counter((picture.emotion, picture.part) for picture in found.pictures)
    assert sides["happiness", "test"] == 2 and sides["sadness", "test"] == 4 and len(found.pictures) == 30
    assert read(tmp_path, seed=3) == found and read(tmp_path, seed=4) != found


def test_a_split_that_comes_with_the_folder_is_kept(tmp_path: Path) -> None:
    _classes(tmp_path / "train", {"fear": 3, "neutral": 3})
    _classes(tmp_path / "test", {"fear": 2, "neutral": 1})
    found = read(tmp_path)
    assert found.split == "official" and Counter(picture.part for picture in found.pictures) == {"train": 6, "test": 3}


def test_emotions_of_a_study_may_be_others_than_the_papers(tmp_path: Path) -> None:
    found = read(_classes(tmp_path, {"amusement": 4, "fear": 4}), emotions=("fear", "amusement", "awe"))
    assert found.emotions == ("fear", "amusement")


def test_a_name_that_is_an_emotion_of_the_study_is_that_emotion_and_another_word_elsewhere(tmp_path: Path) -> None:
    _classes(tmp_path, {"joy": 4, "calm": 4, "fear": 4})
    assert read(tmp_path, emotions=("joy", "calm", "fear")).emotions == ("joy", "calm", "fear")
    assert read(tmp_path).emotions == ("happiness", "fear", "neutral")


@pytest.mark.parametrize(("train", "test"), [(1, 4), (3, 0), (0, 3)])
def test_an_official_split_needs_pictures_to_learn_from_to_stop_by_and_to_be_tested_on(
    tmp_path: Path, train: int, test: int
) -> None:
    for part, counts in (("train", {"fear": train, "neutral": 8}), ("test", {"fear": test, "neutral": 4})):
        (tmp_path / part).mkdir()
        _classes(tmp_path / part, counts)
    says = f"fear = {train} pictures to learn from and {test} to be tested on: at least 2 and 1 are needed"
    with pytest.raises(FolderError, match=says):
        read(tmp_path)


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ({"happiness": 5, "sadness": 1}, "sadness = 1 pictures: at least 3 are needed; add some, or move it away"),
        ({"happiness": 5, "joyfulness": 5}, "joyfulness: is no emotion that is known; rename it to one of afraid, "),
        ({"happiness": 5}, "holds pictures of 1 of happiness, sadness, fear, neutral; at least two emotions are needed"),
        ({}, "holds pictures of 0 of"),
    ],
)
def test_a_folder_that_cannot_be_learnt_from_is_one_line(tmp_path: Path, counts: dict[str, int], says: str) -> None:
    with pytest.raises(FolderError, match=says) as error:
        read(_classes(tmp_path, counts))
    assert str(tmp_path) in str(error.value) and "\n" not in str(error.value)


def test_what_is_wrong_with_raf_db_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="is no folder"):
        read(tmp_path / "nowhere")
    root = _raf_db(tmp_path, ["train_00001.jpg 5", "train_00002.jpg eight"])
    with pytest.raises(FolderError, match=r"list_patition_label\.txt: line 2 = 'train_00002\.jpg eight'.*labels 1 to 7"):
        read(root)
    lines = [f"{part}_{n}.jpg {label}" for part in ("train", "test") for n in range(4) for label in (4, 5)]
    listed = root / "basic/EmoLabel/list_patition_label.txt"
    listed.write_text("\n".join(lines))
    with pytest.raises(FolderError, match=r"train_0_aligned\.jpg: is missing"):
        read(root)
    (root / "basic/Image/aligned").rename(root / "basic/Image/original")
    with pytest.raises(FolderError, match=r"aligned: is missing; unpack RAF-DB's aligned\.zip there"):
        read(root)


def test_no_path_of_a_picture_is_handed_to_opencv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _save(tmp_path / "Khuôn mặt" / "a.png", face()[:240, 40:280])
    monkeypatch.setattr(cv2, "imread", lambda *_: pytest.fail("on Windows imread opens only paths of ASCII"))
    assert load(path).std() > 10
    path.write_bytes(b"")
    with pytest.raises(FolderError, match="is no picture that can be read"):
        load(path)


def test_grey_sixteen_bit_and_transparent_pictures_are_the_face_they_show(tmp_path: Path) -> None:
    shown = face()
    gray = cv2.cvtColor(shown, cv2.COLOR_BGR2GRAY)
    plain = load(_save(tmp_path / "a.png", shown))
    assert plain.shape == (CROP_PX, CROP_PX, 3)
    expected = cv2.resize(shown[:, 40:280], (CROP_PX, CROP_PX), interpolation=cv2.INTER_AREA)[..., ::-1]
    np.testing.assert_array_equal(plain, expected)
    deep = load(_save(tmp_path / "b.png", shown.astype(np.uint16) * 256))
    np.testing.assert_allclose(deep.astype(int), plain, atol=1)
    clear = load(_save(tmp_path / "c.png", np.dstack([shown, np.full(gray.shape, 255, np.uint8)])))
    np.testing.assert_array_equal(clear, plain)
    flat = load(_save(tmp_path / "d.png", gray.astype(np.uint16) * 256))
    assert (flat[..., 0] == flat[..., 2]).all() and flat.std() > 10


def test_what_is_no_picture_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(FolderError, match=r"a\.png: is no picture that can be read; restore it, or move it away"):
        load(tmp_path / "a.png")
    _save(tmp_path / "b.tiff", np.zeros((8, 8), np.float32))
    with pytest.raises(FolderError, match=r"b\.tiff: holds float32 pixels"):
        load(tmp_path / "b.tiff")


def test_the_variants_of_a_face_are_mirrored_and_paler_but_the_first_is_the_face(tmp_path: Path) -> None:
    shown = load(_save(tmp_path / "a.png", face("happiness")))
    made = variants(shown, np.random.default_rng(0), n=4)
    np.testing.assert_array_equal(made[0], shown)
    for mirrored, variant in ((True, made[1]), (False, made[2]), (True, made[3])):
        back = variant[:, ::-1] if mirrored else variant
        assert np.corrcoef(back.ravel(), shown.ravel())[0, 1] > 0.99
        assert back.std() != pytest.approx(shown.std(), rel=0.005)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of drawn faces, twelve people, each emotion once."""
    root = tmp_path_factory.mktemp("faces")
    for person in range(12):
        for emotion in EMOTIONS:
            _save(root / emotion / f"{person:02d}.png", face(emotion, seed=person)[35:195, 80:240])
    return root


def test_a_folder_teaches_the_emotions_of_faces_that_were_kept_apart(drawn: Path, tmp_path: Path) -> None:
    learnt = learn(read(drawn), kind="pool96", backbone=None, seed=1, cache=tmp_path)
    assert learnt.log_p.shape == (8, 4) and np.bincount(learnt.labels).tolist() == [2, 2, 2, 2]
    assert learnt.scores.accuracy >= 0.6, "chance is 0.25"
    assert len(list(tmp_path.iterdir())) == 2, "features of both sides are kept, no picture"
    again = learn(read(drawn), kind="pool96", backbone=None, seed=1, cache=tmp_path)
    np.testing.assert_array_equal(learnt.log_p, again.log_p)


def test_what_a_folder_taught_is_where_the_next_training_begins(drawn: Path) -> None:
    backbone = load_backbone()
    learnt = learn(read(drawn), kind="seeded", backbone=backbone, seed=1, training=Training(epochs=2))
    order = ("neutral", "awe", "sadness", "happiness", "fear")
    start = start_for(learnt, order)
    frames = learnt.recogniser.frames
    assert isinstance(frames, Network)
    x = np.concatenate([backbone.maps(load(picture.path)[None]) for picture in learnt.folder.pictures[:6]])
    network = Network(5, seed=2, standardise=True, training=Training(epochs=0), start=start)
    network.fit(x, np.arange(6) % 5, np.arange(6), validation=(x, np.arange(6) % 5))
    network.mean, network.sd = frames.mean, frames.sd
    logits, known = network.log_p(x), frames.log_p(x)
    for emotion in EMOTIONS:
        mine, theirs = order.index(emotion), learnt.folder.emotions.index(emotion)
        np.testing.assert_allclose(logits[:, mine] - logits[:, 0], known[:, theirs] - known[:, 3], atol=1e-5)
    with pytest.raises(TypeError, match="only a network"):
        start_for(learn(read(drawn), kind="pool96", backbone=None, seed=1), order)
