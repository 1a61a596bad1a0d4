"""Samples chunks as arrays, pure. A chunk may be larger than what is in memory: it is decoded in blocks.

A sample is ``[8][stamp][values]``, or ``[0][values]`` where its stamp is to be deduced: the one before plus the nominal period.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from collector.xdf import source as source_
from collector.xdf.codec import FORMATS, STAMPED, Values, XdfError, record
from collector.xdf.header import StreamHeader
from collector.xdf.source import Source

Stamps = NDArray[np.float64]
Block = tuple[Stamps, Values]

BLOCK_B = 1 << 20


def samples(source: Source, at: int, stop: int, header: StreamHeader, *, last: float, block: int = BLOCK_B) -> Iterator[Block]:
    """Decode the content of a samples chunk behind its stream id.

    Parameters
    ----------
    source : Source
        Holds the chunk.
    at, stop : int
        Where its content begins and ends.
    header : StreamHeader
        Of its stream.
    last : float
        Stamp of the stream's sample before, from which the first one's may have to be deduced; 0 where there is none.
    block : int
        How many bytes are decoded at once.

    Yields
    ------
    stamps : ndarray, shape (n_samples,)
    values : ndarray, shape (n_samples, n_channels), or list of list of str

    Raises
    ------
    XdfError
        When the content is not exactly the samples that it announces; what was yielded before is then not to be believed.
    """
    n, at = source_.varlen(source, at)
    if at > stop:
        raise XdfError("no length where the number of samples should stand")
    total, step = n, 1 / header.sfreq if header.sfreq else 0.0
    if n * least(header) > stop - at:
        raise XdfError(f"{n} samples do not fit into {stop - at} bytes")
    decode = _texts if header.format == "string" else _numbers
    while n:
        size = min(stop - at, block)
        stamps, values, used = decode(source.view(at, at + size), n, header, last, step, room=stop - at)
        if len(stamps):
            yield stamps, values
            last, n, at = float(stamps[-1]), n - len(stamps), at + used
        elif size < stop - at:
            block *= 4  # one sample, larger than a block
        else:
            raise XdfError(f"sample {total - n} of {total} is cut off")
    if at != stop:
        raise XdfError(f"{stop - at} bytes follow the last of {total} samples")


def least(header: StreamHeader) -> int:
    """Return how many bytes a sample needs at least."""
    dtype = FORMATS[header.format]
    return 1 + header.n_channels * (2 if dtype is None else dtype.itemsize)


def _numbers(
    view: memoryview, n: int, header: StreamHeader, last: float, step: float, *, room: int
) -> tuple[Stamps, NDArray[np.generic], int]:
    """Decode the samples that lie whole in ``view``, run by run of those with and those without a stamp."""
    kinds = {STAMPED: record(header.format, header.n_channels), 0: record(header.format, header.n_channels, stamped=False)}
    runs: list[tuple[Stamps, NDArray[np.generic]]] = []
    at, look = 0, n
    while n and at < len(view):
        kind = view[at]
        if kind not in kinds:
            raise XdfError("a sample has no stamp")
        whole = min(n, (len(view) - at) // kinds[kind].itemsize)
        rows = np.frombuffer(view, kinds[kind], min(whole, look), at)
        if not len(rows):
            break
        other = rows["size"] != kind
        run = int(np.argmax(other)) if other.any() else len(rows)
        stamps = rows["stamp"][:run] if kind == STAMPED else deduced(last, step, run)
        runs.append((stamps, rows["values"][:run]))
        # a stream that changes often is not looked at again and again from each change to the end
        look = look * 4 if run == len(rows) else max(8, 2 * run)
        last, n, at = float(stamps[-1]), n - run, at + run * kinds[kind].itemsize
    if len(runs) == 1:
        return *runs[0], at
    values = [v for _, v in runs] or [np.empty((0, header.n_channels), FORMATS[header.format])]
    return np.concatenate([np.empty(0), *(s for s, _ in runs)]), np.concatenate(values), at


def deduced(last: float, step: float, n: int) -> Stamps:
    """Return ``n`` stamps that follow ``last``, added one by one as other readers add them."""
    steps = np.full(n + 1, step)
    steps[0] = last
    return np.add.accumulate(steps)[1:]


def _texts(
    view: memoryview, n: int, header: StreamHeader, last: float, step: float, *, room: int
) -> tuple[Stamps, list[list[str]], int]:
    """Decode the samples that lie whole in ``view``; ``room`` is what is left of the chunk."""
    stamps: list[float] = []
    rows: list[list[str]] = []
    at = 0
    while len(rows) < n:
        found = _text(view, at, header.n_channels, last + step, room=room)
        if found is None:
            break
        last, row, at = found
        stamps.append(last)
        rows.append(row)
    return np.array(stamps, np.float64), rows, at


def _text(view: memoryview, at: int, n_channels: int, last: float, *, room: int) -> tuple[float, list[str], int] | None:
    """Decode one sample, ``last`` is its stamp if it has none of its own; None when ``view`` ends before it does."""
    if at >= len(view):
        return None
    if view[at] not in (0, STAMPED):
        raise XdfError("a sample has no stamp")
    if view[at] == STAMPED:
        if at + 9 > len(view):
            return None
        last = struct.unpack_from("<d", view, at + 1)[0]
    at += 1 + view[at]
    row = []
    for _ in range(n_channels):
        if at >= len(view):
            return None
        width = view[at]
        if width not in (1, 4, 8):
            raise XdfError("a text has no length")
        start = at + 1 + width
        at = start + int.from_bytes(view[at + 1 : start], "little")
        if at > room and start <= len(view):
            raise XdfError("a text is longer than its chunk")
        if at > len(view):
            return None
        row.append(str(view[start:at], "utf-8", "replace"))
    return last, row, at
