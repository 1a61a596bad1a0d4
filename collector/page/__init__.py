"""The operator's page: NiceGUI on 127.0.0.1, a process of its own that nothing depends on.

``python -P -m collector.page`` is started by the launcher, which tells it where it listens (``EMOLAB_PAGE_PORT``), the secret
that its browser must know (``EMOLAB_PAGE_TOKEN``), and the hub. The page shows the newest :class:`protocol.messages.Scene` and
sends :class:`protocol.messages.Command`; it decides nothing.

How a component plugs in
------------------------
A component ``NAME`` is a module ``collector/page/NAME.py`` with two functions, and a file ``collector/page/static/NAME.js``::

    def build(board: Board) -> None:            # NiceGUI elements, once for every browser that opens the page
    def payload(board: Board) -> dict | None:   # what changes; called at 10 Hz in the server's loop: it must not wait

What ``payload`` returns goes, as JSON, to every browser in one call ``emolab.update({seq, NAME: payload, ..})``. A payload that
equals the last one is not sent again; None is never sent. A payload that is another object and has the key ``"t"`` is news
(samples), sent even where it is equal; make ``t`` the time of its newest sample. A browser that opens late gets everybody's
newest payload at once. The script (and a style sheet ``static/NAME.css``, if there is one) registers what is done with it::

    emolab.on("NAME", p => { .. })              // called with the payload
    emolab.send(verb, reason, arg)              // a command of the operator
    emolab.words.start                          // texts in the session's language (words_en.py, words_vi.py)

Components are listed in :mod:`collector.page.components`, with the screens on which they are seen. Each has one slot,
``[data-slot=NAME]``, whose size the page's style sheet gives on each screen; the component fills it, whatever it is.
Slow work (LSL inlets, pictures) belongs in a thread of the component's own; ``payload`` takes its newest result.
A component that raises is logged and left out of that tick: the others go on.
"""
