"""The last stage: the verdict, the report and the files of a run, shown until the operator leaves."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

from collector import told
from collector.crew import Patience
from collector.helm import Helm
from collector.helper import Helper
from collector.refusals import refused
from collector.scenes import Known
from collector.situation import Situation
from collector.verdict import Verdict, reported, unverified, verified
from protocol.folder import CHOICE, FileRecord, Manifest, Run, sha256
from protocol.messages import Command, Envelope
from protocol.scene import File


@dataclass
class Check:
    """Files of a run, compared with its manifest in a thread of their own: hours of video take minutes.

    Parameters
    ----------
    run : Run
        With its manifest.
    """

    run: Run
    files: tuple[File, ...] = ()
    _records: tuple[FileRecord, ...] = field(default=(), repr=False)
    _thread: threading.Thread | None = field(default=None, repr=False)

    def all(self) -> tuple[File, ...]:
        """Compare them here and now."""
        self._list()
        self._verify()
        return self.files

    def begin(self) -> None:
        """List the files, and begin to read them."""
        self._list()
        self._thread = threading.Thread(target=self._verify, name="verify", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether all were read."""
        return self._thread is None or not self._thread.is_alive()

    def _list(self) -> None:
        self._records = Manifest.load(self.run.manifest_json).files if self.run.manifest_json.exists() else ()
        self.files = tuple(File(name=record.path, size_B=record.size_B) for record in self._records)

    def _verify(self) -> None:
        for record in self._records:
            path = self.run.path / record.path
            try:
                right = path.stat().st_size == record.size_B and sha256(path) == record.sha256
            except OSError:
                right = False
            # one tuple takes the place of another: who reads meanwhile sees the one or the other
            self.files = tuple(
                File(name=file.name, size_B=file.size_B, verified=right) if file.name == record.path else file
                for file in self.files
            )


class Finale:
    """Shows the end.

    Parameters
    ----------
    verdict : Verdict
        As far as it is known.
    before : Situation
        How the session stood last.
    helm : Helm
        Page, terminal, children.
    report : Helper or None
        Makes the report; None where there is nothing to report on.
    patience : Patience
        How long somebody may read.
    """

    def __init__(
        self, verdict: Verdict, before: Known, *, helm: Helm, report: Helper | None, patience: Patience,
    ) -> None:  # fmt: skip
        self._verdict, self._before, self._helm, self._report, self._patience = verdict, before, helm, report, patience
        self._check = Check(verdict.run)
        self._until = helm.now() + patience.finish
        self._stopped = self._settled = False

    @property
    def verdict(self) -> Verdict:
        """What is known by now: of the rule, the report and the files."""
        done, files = self._check.done, self._check.files
        found = verified(self._verdict, files)
        return found if done else unverified(found)

    @property
    def over(self) -> bool:
        """Whether the operator has left it."""
        return self._stopped or self._helm.now() > self._until

    def open(self) -> None:
        """Begin with the report and the files."""
        self._check.begin()
        if self._report is not None:
            self._report.ask()

    def hear(self, envelope: Envelope) -> None:
        """Nobody is left to be heard."""

    def step(self) -> None:
        """Take in what the report says."""
        if self._settled:
            return
        if self._report is None:
            self._settled = True
        elif (answer := self._report.look()) is not None:
            self._settled = True
            self._verdict = reported(self._verdict, told.read(answer.said))

    def obey(self, command: Command) -> str:
        """Write down what the participant wants, or leave."""
        if command.verb in ("keep", "withdraw"):
            self._verdict = replace(self._verdict, choice=command.verb)
            self._helm.diary.write("note", CHOICE, {"choice": command.verb})
            return ""
        if command.verb != "stop":
            return refused("over", command.verb)
        self._stopped = True
        return ""

    def interrupt(self) -> None:
        """Leave at once."""
        self._stopped = True
        if self._report is not None:
            self._report.cancel()

    def known(self) -> Known:
        """Return the end."""
        files, header = self._check.files, self._helm.header
        said = verified(self._verdict, files).said(files, header.language) if self._settled else None
        situation = Situation(
            phase="finish", t=self._helm.now(), n_trials=header.n_trials, findings=self._before.situation.findings,
            contact=self._before.situation.contact, troubles=(), language=header.language, simulated=header.simulated,
            said=said,
        )  # fmt: skip
        return Known(situation, None, self.verdict.run.run, self._before.t_s, self._before.timeline)
