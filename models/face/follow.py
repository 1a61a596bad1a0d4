"""Whose face it is: the participant's among the faces of a recording's frames. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.face.detect import Boxes

REACH = 1.0  # in widths of the face: how far its middle may lie from where it was in the frame looked at before
GROWTH = 2.0  # how many times as large or small it may have become
LOST_AFTER = 20  # frames with a face elsewhere only, about 12 s: then somebody has moved the chair


def participant(frames: Sequence[Boxes]) -> list[int | None]:
    """Choose the participant's face in each frame.

    It begins where the largest faces of the recording are as a rule, so that somebody who leans into the first frame is not
    followed, and goes on with the face nearest to the last one. A frame that shows a face only somewhere else has none: an
    onlooker is not the participant.

    Parameters
    ----------
    frames : sequence of ndarray, shape (n_faces, 4)
        x, y, width, height of the faces of each frame, in the order of time.

    Returns
    -------
    list of (int or None)
        Row of the face in each frame; None where there is none.

    Examples
    --------
    >>> here, there = [0.0, 0.0, 10.0, 10.0], [50.0, 0.0, 9.0, 9.0]
    >>> participant([np.array([here, there]), np.array([here]), np.array([there]), np.array([there, here])])
    [0, 0, None, 1]
    """
    usual = [boxes[largest(boxes)] for boxes in frames if len(boxes)]
    if not usual:
        return [None] * len(frames)
    last, lost = np.median(np.array(usual), axis=0), 0
    chosen: list[int | None] = []
    for boxes in frames:
        index = _nearest(boxes, last)
        if index is None and len(boxes):
            lost += 1
            if lost >= LOST_AFTER:
                index = largest(boxes)
        if index is not None:
            last, lost = boxes[index], 0
        chosen.append(index)
    return chosen


def largest(boxes: Boxes) -> int:
    """Return the row of the box with the largest area; there must be one."""
    return int(np.argmax(boxes[:, 2] * boxes[:, 3]))


def _nearest(boxes: Boxes, last: Boxes) -> int | None:
    """Return the row of the box nearest to the last one, where it is near enough and of a like size."""
    if not len(boxes):
        return None
    away = np.hypot(*(boxes[:, :2] + boxes[:, 2:] / 2 - last[:2] - last[2:] / 2).T) / np.maximum(boxes[:, 2], last[2])
    ratio = boxes[:, 2] / last[2]
    away[(away > REACH) | (ratio > GROWTH) | (ratio < 1 / GROWTH)] = np.inf
    return int(np.argmin(away)) if np.isfinite(away).any() else None
