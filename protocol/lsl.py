"""How this process looks for LSL streams: real sessions by LSL's own defaults, simulations alone on this machine.

LSL reads its configuration once per process, at the first call, so :func:`configure` comes before any other use of pylsl.
"""

from __future__ import annotations

import os
import re

SESSION_VARIABLE = "EMOLAB_LSL_SESSION"
"""Carries the id of a simulated or test session to child processes."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)

# Loopback alone, and reliable with many streams: the default port range of 32 lost 7 of 40 outlets on one machine.
_CONFINED = """\
[multicast]
ResolveScope = machine
AddressesOverride = {{127.0.0.1}}
[lab]
KnownPeers = {{127.0.0.1}}
SessionID = {session_id}
[ports]
IPv6 = disable
PortRange = 128
[log]
level = -1
"""

_configured: str | None = None


def confined(session_id: str) -> str:
    """Return the settings of a simulated or test session, as LSL reads them from the file that ``LSLAPICFG`` names."""
    return _CONFINED.format(session_id=session_id)


class LslError(RuntimeError):
    """LSL cannot be set up as asked."""


def configure(session_id: str | None = None) -> str | None:
    """Set LSL up for this process and its children.

    Parameters
    ----------
    session_id : str or None
        Id of a simulated or test session: streams are then found on this machine and under this id alone. None takes the
        id from :data:`SESSION_VARIABLE`; where there is none either, LSL's own defaults hold, because real devices are
        found by these alone.

    Returns
    -------
    str or None
        The id that holds; None for LSL's defaults.

    Raises
    ------
    LslError
        When the id is not 1 to 64 letters, digits, ``-`` or ``_``, or the process was set up with another one before.

    Notes
    -----
    The sockets still listen on every interface: the id confines discovery and is no security boundary.
    """
    global _configured
    session_id = session_id or os.environ.get(SESSION_VARIABLE) or None
    if session_id is None:
        return None
    if not _ID.fullmatch(session_id):
        raise LslError(f"LSL session id = {session_id!r}: use 1 to 64 letters, digits, - or _")
    if _configured not in (None, session_id):
        raise LslError(f"LSL session id = {session_id!r}: this process already uses {_configured!r}, and LSL reads it once")
    if _configured is None:
        import pylsl

        pylsl.set_config_content(confined(session_id))
        _configured = session_id
    os.environ[SESSION_VARIABLE] = session_id
    return session_id
