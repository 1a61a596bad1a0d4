"""A window that died and came back: two marker streams in one recording, and a marker that was said twice."""

import numpy as np

from bids_export import recording
from collector import xdf
from protocol.markers import STREAM_NAME, STREAM_TYPE


def stream(n: int, *rows: tuple[float, str]) -> xdf.Stream:
    header = xdf.StreamHeader(STREAM_NAME, STREAM_TYPE, 1, 0.0, "string", labels=("marker",))
    stamps = np.array([t for t, _ in rows])
    offsets = np.array([[0.0, 1e-6 * n], [1000.0, 1e-6 * n]])  # each stream's clock is measured on its own
    return xdf.Stream(n, header, xdf.header_xml(header), stamps, [[text] for _, text in rows], offsets)


def test_what_the_window_that_came_back_said_again_is_one_marker_and_both_streams_are_one_story() -> None:
    died = stream(1, (10.0, "session/start uid=u"), (20.0, "clip/onset trial=1 stim_id=a target=fear"))
    back = stream(
        2,
        (20.0, "clip/onset trial=1 stim_id=a target=fear"),
        (21.5, "clip/offset trial=1 stim_id=a target=fear end=interrupted"),
        (40.0, "clip/onset trial=1 stim_id=a target=fear attempt=2"),
    )
    moments = recording.moments({1: died, 2: back})
    assert [(round(t, 3), str(marker).partition(" ")[0]) for t, marker in moments] == [
        (10.0, "session/start"), (20.0, "clip/onset"), (21.5, "clip/offset"), (40.0, "clip/onset"),
    ]  # fmt: skip


def test_two_markers_of_one_stamp_are_two() -> None:
    moments = recording.moments({1: stream(1, (10.0, "sync/cue n=1"), (10.0, "sync/cue n=2"), (11.0, "sync/cue n=2"))})
    assert len(moments) == 3
