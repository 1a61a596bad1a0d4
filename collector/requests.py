"""What an operator asks for while a session is afoot, and what is done about it."""

from __future__ import annotations

from collector.afoot import Afoot
from collector.departures import Departures
from collector.refusals import refused
from protocol.messages import Command


class Requests:
    """Obeys commands that may be given now (:mod:`collector.orders` has seen to that).

    Parameters
    ----------
    afoot : Afoot
        The session.
    departures : Departures
        Ends it.
    """

    def __init__(self, afoot: Afoot, departures: Departures) -> None:
        self._s, self._departures = afoot, departures

    def obey(self, command: Command) -> str:
        """Do what is asked for; returns why not, or nothing."""
        s = self._s
        match command.verb:
            case "start":
                begin(s, "operator")
            case "abort":
                s.stopping = True
                self._departures.abort(command.reason)
            case "note":
                s.team.send("collector", Command(verb="note", reason="note", arg=command.arg))
                s.timeline.add("note", command.arg, s.t_s)
            case "resume" if s.hold.holds:
                s.hold.let_go()
            case "pause" | "resume" | "skip" | "repeat":
                s.team.send("window", Command(verb=command.verb, reason=command.reason or "operator", arg=command.arg))
            case "check":
                return self._check_again()
            case "override":
                return override(s, command.arg or ("contact" if s.phase == "session" else "gate"), command.reason.strip())
            case _:
                return refused("not_now", command.verb)
        return ""

    def _check_again(self) -> str:
        s = self._s
        if s.phase != "session":
            return ""  # before that the contacts are looked at all the time
        if not s.hold.holds:
            return refused("not_held", "check")
        s.contact.again()
        s.team.send("window", Command(verb="repeat", reason="contact"))  # it shows the cues once more
        return ""


def begin(s: Afoot, who: str) -> None:
    """Let the session begin; how the contacts were then stands in the journal."""
    gate = s.gauges.gate
    good = {"gate": gate.green, "overall": gate.overall, "good": gate.good, "n": gate.n} if gate is not None else {}
    s.write("note", "start", {"by": who, **good})
    s.phase = "session"


def override(s: Afoot, code: str, reason: str) -> str:
    """Go on all the same, and write down why; returns why not, or nothing."""
    if code == "contact" and s.contact.failed:
        s.contact.override(reason)
    elif code == "gate" and s.gauges.gate is not None:
        s.gauges.overridden = reason
    else:
        return refused("nothing_there", "override", arg=code)
    s.write("note", "override", {"code": code, "text": code, "reason": reason})
    return ""
