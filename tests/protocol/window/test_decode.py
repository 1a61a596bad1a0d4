"""Clips, written a moment ago, decoded again."""

import queue
import time
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from protocol.window.decode import SFREQ_AUDIO, ClipError, Decoder, Frame, read_format, read_frames, read_sound

FPS, N = 25, 50
SFREQ = 44100
TONE_S = 0.5  # silence, then a tone from here on


def write_clip(path: Path, *, with_sound: bool) -> Path:
    """Two seconds of grey whose level is the frame's number, and a tone from half a second on."""
    with av.open(path, "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"crf": "1", "g": "12"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.codec_context.sample_aspect_ratio = Fraction(4, 3)
        audio = container.add_stream("pcm_s16le", rate=SFREQ, layout="mono") if with_sound else None
        per_frame = SFREQ // FPS
        for i in range(N):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 4 * i + 20, np.uint8), "rgb24")
            container.mux(video.encode(picture))
            if audio is not None:
                t = np.arange(i * per_frame, (i + 1) * per_frame)
                heard = av.AudioFrame.from_ndarray(np.where(t < TONE_S * SFREQ, 0, 12000).astype(np.int16)[None], "s16", "mono")
                heard.sample_rate, heard.pts = SFREQ, i * per_frame
                container.mux(audio.encode(heard))
        for stream in (video, audio):
            if stream is not None:
                container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "clip.mkv", with_sound=True)


def numbers(frames: list[Frame]) -> list[int]:
    return [round((int(frame.rgb.mean()) - 20) / 4) for frame in frames]


def wait(decoder: Decoder) -> None:
    for _ in range(1000):
        if decoder.ready:
            return
        time.sleep(0.01)
    raise AssertionError("the decoder was not ready in 10 s")


def take_all(decoder: Decoder) -> list[Frame]:
    frames = []
    for _ in range(10_000):
        try:
            frame = decoder.take()
        except queue.Empty:
            time.sleep(0.005)
            continue
        if frame is None:
            return frames
        frames.append(frame)
    raise AssertionError("the decoder did not end")


def test_pixels_that_are_not_square_widen_the_picture(clip: Path) -> None:
    form = read_format(clip)
    assert (form.width_px, form.height_px, form.fps) == (64, 48, FPS)
    assert form.aspect == pytest.approx(64 / 48 * 4 / 3)


def test_every_frame_comes_in_order_with_its_time(clip: Path) -> None:
    frames = list(read_frames(clip, start_s=0.0, stop_s=2.0))
    assert numbers(frames) == list(range(N))
    assert [frame.index for frame in frames] == list(range(N))
    assert [frame.pts_s for frame in frames] == pytest.approx([i / FPS for i in range(N)], abs=0.001)


@pytest.mark.parametrize(("start_s", "stop_s", "first", "last"), [(0.8, 1.2, 20, 29), (1.0, 2.0, 25, 49), (0.0, 0.04, 0, 0)])
def test_in_and_out_point_are_kept_to_the_frame(clip: Path, start_s: float, stop_s: float, first: int, last: int) -> None:
    frames = list(read_frames(clip, start_s=start_s, stop_s=stop_s))
    assert numbers(frames) == list(range(first, last + 1))
    assert frames[0].pts_s == pytest.approx(0, abs=0.001)


@pytest.mark.parametrize(("start_s", "tone_from_s"), [(0.0, 0.5), (0.3, 0.2), (1.0, 0.0)])
def test_the_sound_begins_at_the_in_point(clip: Path, start_s: float, tone_from_s: float) -> None:
    sound = read_sound(clip, start_s=start_s, stop_s=2.0)
    assert sound is not None
    assert sound.shape == (round((2.0 - start_s) * SFREQ_AUDIO), 2)
    assert sound.dtype == np.float32
    loud = np.flatnonzero(np.abs(sound[:, 0]) > 0.1)
    assert loud[0] / SFREQ_AUDIO == pytest.approx(tone_from_s, abs=0.002)
    assert np.array_equal(sound[:, 0], sound[:, 1])


def test_a_clip_without_sound_has_none(tmp_path: Path) -> None:
    silent = write_clip(tmp_path / "silent.mkv", with_sound=False)
    assert read_sound(silent, start_s=0.0, stop_s=2.0) is None
    assert len(list(read_frames(silent, start_s=0.0, stop_s=2.0))) == N


class TestADecoder:
    def test_gives_every_frame_and_then_none_for_ever(self, clip: Path) -> None:
        with closing(Decoder(clip, start_s=0.0, stop_s=2.0, with_sound=True)) as decoder:
            wait(decoder)
            assert decoder.sound is not None
            assert numbers(take_all(decoder)) == list(range(N))
            assert decoder.take() is None

    def test_that_is_closed_in_the_middle_ends_its_thread(self, clip: Path) -> None:
        decoder = Decoder(clip, start_s=0.0, stop_s=2.0, with_sound=False)
        wait(decoder)
        decoder.close()
        assert not decoder._thread.is_alive()
        assert decoder.sound is None

    def test_says_what_is_wrong_with_a_file_that_is_no_clip(self, tmp_path: Path) -> None:
        path = tmp_path / "broken.mp4"
        path.write_bytes(np.random.default_rng(0).bytes(2000))
        with closing(Decoder(path, start_s=0.0, stop_s=1.0, with_sound=True)) as decoder:
            wait(decoder)
            with pytest.raises(ClipError, match=r"broken\.mp4"):
                decoder.take()
