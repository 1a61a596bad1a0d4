"""Which LSL streams a study records, and how each is recognised among those that are there. Opens nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from protocol import markers
from protocol.study import Stream as Description
from protocol.study import Study

if TYPE_CHECKING:
    import pylsl


@dataclass(frozen=True)
class Wanted:
    """A stream to record.

    Parameters
    ----------
    kind : str
        What it is to us: ``eeg``, ``contact_quality``, ``eeg_quality``, ``other``, ``markers``.
    description : Description
        How it is recognised.
    key : str
        Where in ``study.toml`` it is described.
    required : bool
        Recording does not begin without it.
    """

    kind: str
    description: Description
    key: str = ""
    required: bool = True

    def __str__(self) -> str:
        """Return the description in words."""
        asked = ", ".join(f"{k} = {v}" for k, v in self.description.model_dump().items() if v is not None)
        return f"{self.key} ({asked})" if self.key else asked


def wanted(study: Study, *, uid: str | None) -> tuple[Wanted, ...]:
    """Return what a study records; the window's markers are those of this session alone where its ``uid`` is known."""
    eeg = study.eeg
    devices = (
        ("eeg", eeg.stream, "eeg.stream"),
        ("contact_quality", eeg.contact_quality_stream, "eeg.contact_quality_stream"),
        ("eeg_quality", eeg.eeg_quality_stream, "eeg.eeg_quality_stream"),
    )
    own = Description(name=markers.STREAM_NAME, type=markers.STREAM_TYPE, source_id=f"emolab-{uid}" if uid else None)
    found = [Wanted(kind, description, key) for kind, description, key in devices if description is not None]
    others = [
        Wanted(
            "other", Description(**other.model_dump(exclude={"required"})), f"eeg.other_streams.{n}", required=other.required
        )
        for n, other in enumerate(eeg.other_streams)
    ]
    return (*found, *others, Wanted("markers", own, required=False))


def fits(description: Description, info: pylsl.StreamInfo) -> bool:
    """Tell whether a resolved stream is the one that is described."""
    pairs = (
        (description.name, info.name()), (description.type, info.type()),
        (description.host, info.hostname()), (description.source_id, info.source_id()),
    )  # fmt: skip
    return all(asked is None or asked == is_ for asked, is_ in pairs)


def in_words(infos: Sequence[pylsl.StreamInfo]) -> str:
    """List streams for a message."""
    said = sorted(
        f"{i.name()} (type {i.type()}, {i.channel_count()} channels, {i.nominal_srate():g} Hz, host {i.hostname()})"
        for i in infos
    )
    return "; ".join(said) or "none"


def cure(infos: Sequence[pylsl.StreamInfo]) -> str:
    """Say what tells streams that fit one description apart, and what to do.

    Streams with one host and one source_id are copies: nothing in a study file can name one of them.
    """
    names = sorted(f"host = {i.hostname()}, source_id = {i.source_id() or 'none'}" for i in infos)
    if len(set(names)) < len(names):
        return f"({' and '.join(names)}): the same twice; end one of the programs that send it"
    return f"({' and '.join(names)}): name the right one's host or source_id"
