"""One light and exactly one instruction, whatever is the matter: what loses data first is said first. Pure."""

from __future__ import annotations

from collector.situation import Situation, allowed, paused, stops
from protocol.scene import Instruction, Light


def decide(situation: Situation) -> tuple[Light, Instruction]:
    """Return the light and the one thing to do.

    Parameters
    ----------
    situation : Situation
        How things stand.

    Returns
    -------
    light : {"green", "amber", "red"}
        Red: data are being lost, or no start is possible; amber: something is to be done, data are safe; green: neither.
    instruction : Instruction
        Its button is one of ``allowed(situation)``, or empty.
    """
    if situation.troubles:
        worst = max(situation.troubles, key=lambda one: (one.level == "stop", -one.t_cause))
        return "red" if stops(situation) else "amber", Instruction(code=worst.code, text=worst.text)
    if (situation.holding or paused(situation)) and "resume" in allowed(situation):
        return "amber", Instruction(
            code="resume", text="Press Resume.", button="resume", arg="next" if situation.holding else ""
        )
    if situation.phase in ("preflight", "contacts") and "start" in allowed(situation):
        return "green", Instruction(code="start", text="Press START.", button="start")
    return "green", Instruction(code="nothing", text=f"Nothing to do: clip {situation.trial or 0} of {situation.n_trials}.")
