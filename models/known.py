"""What kept models know of recordings that they label: whether they have learnt from them, or from the same person. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.bids import RecordingFiles
from models.card import Card

Who = tuple[str, str, str]  # participant, session, run
Known = bool | None  # None: cannot be known


@dataclass(frozen=True, kw_only=True)
class Acquaintance:
    """Whether models have learnt from a recording, and from its participant; None where neither way can be known."""

    recording: Known
    participant: Known


def acquaintances(
    cards: Sequence[Card], recordings: Sequence[RecordingFiles], eeg_sha256: Sequence[str]
) -> dict[Who, Acquaintance]:
    """Compare recordings with those that models have learnt from.

    A recording is known by its EEG's samples, whatever became of its other files. Labels of participants mean the same in two
    datasets only where these share a recording, under the same label: anywhere else ``01`` may be somebody else, and somebody
    else ``01``, so that nothing is known of those whose samples are new.

    Parameters
    ----------
    cards : sequence of Card
        Of the recognisers; a fusion has learnt from what they have.
    recordings : sequence of RecordingFiles
        What is labelled.
    eeg_sha256 : sequence of str
        As :attr:`models.eeg.recording.Recording.sha256`, in the same order.

    Returns
    -------
    dict of (participant, session, run) to Acquaintance
        Nothing is known with a model whose card names no recordings.
    """
    mine = {(f.participant, f.session, f.run): digest for f, digest in zip(recordings, eeg_sha256, strict=True)}
    told = [card.settings.get("recordings") for card in cards if card.modality != "fusion"]
    maps = [one for one in told if isinstance(one, Mapping)]
    if len(maps) < len(told):
        return dict.fromkeys(mine, Acquaintance(recording=None, participant=None))
    learnt = {str(digest): str(person) for one in maps for digest, person in one.items()}
    met = {who[0] for who, digest in mine.items() if digest in learnt}
    shared = [learnt[digest] == who[0] for who, digest in mine.items() if digest in learnt]
    same_labels = bool(shared) and all(shared)

    def person(label: str) -> Known:
        return True if label in met else (label in learnt.values() if same_labels else None)

    return {who: Acquaintance(recording=digest in learnt, participant=person(who[0])) for who, digest in mine.items()}
