"""Judges what LSL sees: our own stream, those that the study wants, and which others might be meant. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from collector.preflight.found import Found
from collector.preflight.tap import Answer, Network, Seen
from collector.wanted import Wanted

_DEFAULT = "default"  # LSL's own SessionID
_MANY = 8  # streams that a line names
_ALIKE = 0.6  # of difflib's ratio
_FEW = 3


def judge(network: Network, *, confined: bool, where: str) -> list[Found]:
    """Judge a network: one line for LSL itself, one for all that is missing, one for each stream that cannot be taken.

    Parameters
    ----------
    network : Network
        As measured.
    confined : bool
        A simulated laboratory: it has an LSL session of its own on purpose.
    where : str
        Which file configures LSL, for the message.
    """
    return [*_itself(network, confined=confined, where=where), *_missing(network), *_not_taken(network.answers)]


def _itself(network: Network, *, confined: bool, where: str) -> list[Found]:
    if network.own_s is None:
        return [Found("lsl/deaf")]
    found = [Found("lsl/ok", {"seconds": f"{network.own_s:.1f}", "seen": _named(network.seen)})]
    if not confined and network.session != _DEFAULT:
        found.append(Found("lsl/session", {"session": network.session, "where": where}))
    return found


def _missing(network: Network) -> list[Found]:
    """Name all required streams that are not there in one line: a headset that is switched off lacks three of them."""
    gone = [answer.wanted for answer in network.answers if not answer.fitting]
    needed = [wanted for wanted in gone if wanted.required]
    found = [Found("stream/absent", {"wanted": wanted}) for wanted in gone if not wanted.required]
    if needed and network.own_s is not None:  # who does not even find itself finds nobody
        taken = {seen.uid for answer in network.answers for seen in answer.fitting}
        free = [seen for seen in network.seen if seen.uid not in taken]
        alike = dict.fromkeys(str(seen) for wanted in needed for seen in similar(wanted, free))
        values = {
            "wanted": "; ".join(map(str, needed)), "seen": _named(network.seen),
            "similar": f" (≈ {'; '.join(alike)})" if alike else "",
        }  # fmt: skip
        found.append(Found("stream/missing", values))
    return found


def _not_taken(answers: Sequence[Answer]) -> list[Found]:
    found = []
    for answer in answers:
        wanted, needed = answer.wanted, answer.wanted.required
        if len(answer.fitting) > 1 and needed:
            which = "; ".join(sorted(f"{s.name}, host {s.host}, source_id {s.source_id or '-'}" for s in answer.fitting))
            found.append(Found("stream/several", {"wanted": wanted, "which": which}))
        elif answer.error and needed:
            values = {"wanted": wanted, "host": answer.fitting[0].host, "why": answer.error}
            found.append(Found("stream/unreachable", values))
        elif needed and answer.heard is not None and not answer.heard.n:
            found.append(Found("stream/silent", {"wanted": wanted}))
    return found


def similar(wanted: Wanted, seen: Sequence[Seen]) -> list[Seen]:
    """Return the few streams that might be meant, the likeliest first: by a name much like it, else by the same type."""
    asked = wanted.description
    name, kind = (asked.name or "").lower(), asked.type or ("EEG" if wanted.kind == "eeg" else None)

    def likeness(one: Seen) -> float:
        theirs = one.name.lower()
        within = bool(name) and bool(theirs) and (name in theirs or theirs in name)
        return 1.0 if within else difflib.SequenceMatcher(None, name, theirs).ratio()

    named = sorted((one for one in seen if name and likeness(one) >= _ALIKE), key=likeness, reverse=True)
    typed = [one for one in seen if kind is not None and one.type == kind]
    return (named or typed)[:_FEW]


def _named(seen: Sequence[Seen]) -> str:
    more = f" (+ {len(seen) - _MANY})" if len(seen) > _MANY else ""
    return "; ".join(map(str, seen[:_MANY])) + more if seen else "-"
