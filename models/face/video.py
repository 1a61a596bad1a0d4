"""Face videos of a BIDS dataset: which frames belong to which time, and their pixels."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from models.bids import BidsError, RecordingFiles, one_line, read_table

Image = NDArray[np.uint8]  # (height, width, 3), BGR

log = logging.getLogger(__name__)


def videos(files: RecordingFiles) -> list[Path]:
    """Return the face videos of a recording: none, one, or the parts of one that was reopened."""
    folder = files.eeg.parent.parent / "beh"
    return sorted(p for end in ("mkv", "mp4") for p in folder.glob(f"{files.stem}_recording-face*_video.{end}"))


def frame_table(video: Path) -> Path:
    """Return the table beside a video that says when its frames were taken."""
    return video.with_name(video.name.rpartition("_")[0] + "_frames.tsv")


def read_frame_times(video: Path) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Read the table beside a video: frame numbers and their times, seconds from the first EEG sample.

    Raises
    ------
    BidsError
        When it is missing, has other columns, or times do not rise.
    """
    path = frame_table(video)
    rows = [row for row in read_table(path, "frame", "onset") if row["onset"] != "n/a"]
    try:
        frame = np.array([row["frame"] for row in rows]).astype(np.int64)
        onset = np.array([row["onset"] for row in rows]).astype(np.float64)
    except ValueError as error:
        raise BidsError(f"{path}: frame, onset: {one_line(error)}; export the recording again") from None
    if np.any(np.diff(onset) < 0):
        raise BidsError(f"{path}: onset: falls at frame {frame[1:][np.diff(onset) < 0][0]}; export the recording again")
    return frame, onset


def sample_times(t0_s: float, t1_s: float, n_frames: int) -> NDArray[np.float64]:
    """Return the middles of ``n_frames`` equal parts of a window.

    Examples
    --------
    >>> sample_times(10.0, 13.0, 3).tolist()
    [10.5, 11.5, 12.5]
    """
    return t0_s + (np.arange(n_frames) + 0.5) / n_frames * (t1_s - t0_s)


def nearest_frames(onsets_s: NDArray[np.float64], times_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return for each time the row of the frame nearest to it.

    Parameters
    ----------
    onsets_s : ndarray, shape (n,)
        Rising frame times.
    times_s : ndarray, shape (windows, frames)
        Evenly spaced along the last axis.

    Returns
    -------
    ndarray of int64, same shape as ``times_s``
        -1 where no frame lies within half the spacing: the camera was not there.
    """
    if len(onsets_s) == 0:
        return np.full(times_s.shape, -1, dtype=np.int64)
    right = np.clip(np.searchsorted(onsets_s, times_s), 1, max(1, len(onsets_s) - 1))
    left, right = right - 1, np.minimum(right, len(onsets_s) - 1)
    rows = np.where(times_s - onsets_s[left] <= onsets_s[right] - times_s, left, right)
    spacing = np.diff(times_s, axis=1).mean() if times_s.shape[1] > 1 else 1.0
    return np.where(np.abs(onsets_s[rows] - times_s) <= spacing / 2, rows, -1).astype(np.int64)


def decode(video: Path, wanted: Sequence[int]) -> Iterator[tuple[int, Image]]:
    """Yield the wanted frames of a video as BGR, in order; the file is decoded once and not beyond the last of them.

    Frames stand upright: a camera that was mounted on its side says so in the file. A file that breaks off yields what it
    holds, and the log says so.

    Raises
    ------
    BidsError
        When it cannot be opened as a video.
    """
    left = set(wanted)
    try:
        with av.open(str(video)) as container:
            container.streams.video[0].thread_type = "AUTO"
            for index, frame in enumerate(container.decode(video=0)):
                if index in left:
                    left.discard(index)
                    yield index, upright(frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False), frame.rotation)
                if not left:
                    return
    except (av.error.FFmpegError, IndexError) as error:
        if left == set(wanted):
            raise BidsError(f"{video}: cannot be read as a video ({one_line(error)}); export the recording again") from None
        log.warning("%s: breaks off (%s)", video, one_line(error))
    log.warning("%s: %d of the frames named in its table are not in the video", video, len(left))


def pick(video: Path, wanted: Sequence[int]) -> Iterator[tuple[int, Image]]:
    """Yield a few frames of a video as BGR, in order, by jumping to the key frame before each: the rest is not decoded.

    The result is that of :func:`decode`, which is used where the file does not say when its frames are shown.

    Raises
    ------
    BidsError
        When it cannot be opened as a video.
    """
    times = _times(video)
    shown = sorted(time for time in times if time is not None)
    if not shown or len(set(shown)) < len(times):
        yield from decode(video, wanted)
        return
    for index in sorted(set(wanted)):
        if index >= len(shown) or (image := _at(video, shown[index])) is None:
            log.warning("%s: frame %d, named in its table, is not in the video", video, index)
        else:
            yield index, image


def _times(video: Path) -> list[int | None]:
    """Return when each packet of a video is shown, in the stream's units, as far as the file goes; nothing is decoded."""
    found: list[int | None] = []
    try:
        with av.open(str(video)) as container:
            for packet in container.demux(video=0):
                found += [packet.pts] if packet.size else []
    except (av.error.FFmpegError, IndexError) as error:
        log.warning("%s: breaks off (%s)", video, one_line(error))
    return found


def _at(video: Path, pts: int) -> Image | None:
    """Decode the frame that is shown at a time, from the key frame before it on; None where it cannot be decoded."""
    try:
        with av.open(str(video)) as container:
            stream = container.streams.video[0]
            container.seek(pts, stream=stream)
            for frame in container.decode(stream):
                if frame.pts is not None and frame.pts >= pts:
                    image = frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False)
                    return upright(image, frame.rotation) if frame.pts == pts else None
    except av.error.FFmpegError as error:
        log.warning("%s: breaks off (%s)", video, one_line(error))
    return None


def upright(image: Image, rotation_deg: int) -> Image:
    """Turn a picture as the file's display matrix says.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
        As decoded.
    rotation_deg : int
        Counterclockwise; of a camera always a quarter turn.
    """
    quarters = round(rotation_deg / 90) % 4
    return image if not quarters else np.ascontiguousarray(np.rot90(image, quarters))
