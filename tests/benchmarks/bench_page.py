"""The operator's page with 32 channels: updates that reach a real browser, and what they cost."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import numpy as np
import psutil

from collector.camera.preview import small_jpeg
from collector.twin.portrait import Portrait
from collector.twin.timeline import State
from protocol.lsl import SESSION_VARIABLE
from protocol.messages import Preview, Status
from tests.benchmarks.table import Row
from tests.collector.page import scenes
from tests.collector.page.launcher import Launcher
from tests.page import Operator, browser

N_CHANNELS, SFREQ_HZ = 32, 256.0
N_UPDATES = 400
PICTURES_HZ = 5.0  # as the collector sends them
COMMAND = "python -P -m collector.page, a launcher that sends scenes and pictures of a face, an EEG outlet, headless Chromium"

# an outlet of its own process, as a headset's is: 1/f-like EEG with a counter
_DEVICE = f"""
import sys, time
from protocol import lsl
lsl.configure()
import numpy as np, pylsl
labels = ["Counter"] + ["E%02d" % n for n in range(1, {N_CHANNELS + 1})]
info = pylsl.StreamInfo("EmotivDataStream-EEG", "EEG", len(labels), {SFREQ_HZ}, "double64", "bench-eeg")
info.set_channel_labels(labels)
outlet = pylsl.StreamOutlet(info)
print(outlet.get_info().uid(), flush=True)
rng, start, sent = np.random.default_rng(1), pylsl.local_clock(), 0
while True:
    due = int((pylsl.local_clock() - start) * {SFREQ_HZ})
    if due > sent:
        values = 4200 + 20 * rng.standard_normal((due - sent, len(labels)))
        values[:, 0] = np.arange(sent, due) % 128
        outlet.push_chunk(values.tolist(), start + due / {SFREQ_HZ})
        sent = due
    time.sleep(0.03)
"""


def rows() -> list[Row]:
    """Watch a recording for 40 s."""
    os.environ[SESSION_VARIABLE] = f"bench-{uuid.uuid4().hex}"  # children find the outlet, and no other program's
    with _device() as uid, Launcher() as launcher, _camera(launcher), browser() as chromium:
        launcher.show(scenes.record(), _status(uid))
        with Operator(chromium, launcher.url) as operator:
            operator.wait(lambda o: o.screen == "record")
            operator.page.wait_for_timeout(5000)  # drawing for the first time is another matter
            log, cpu = _watch(operator, launcher)
            external = len(operator.external)
    seqs, times_s = np.array([e["seq"] for e in log]), np.array([e["t"] for e in log]) / 1000
    rates_hz = [100 / (times_s[n + 100] - times_s[n]) for n in range(len(times_s) - 100)]
    skipped, worst_s = int((np.diff(seqs) - 1).sum()), float(np.diff(times_s).max())
    return [
        Row(f"sequence numbers skipped in {len(log)} page updates", str(skipped), "0", command=COMMAND),
        Row("updates that the browser got: each 100 of them", f"mean {np.mean(rates_hz):.2f} Hz, slowest "
            f"{min(rates_hz):.2f} Hz, longest wait {1000 * worst_s:.0f} ms", ">= 9.5 Hz", command=COMMAND),
        Row(f"processor of the page's server, {N_CHANNELS} channels at {SFREQ_HZ:g} Hz and a camera",
            f"{100 * cpu:.1f} % of a core", "<= 10 % of a core",
            "3.7 % in a prototype with NiceGUI and uPlot, without filters", command=COMMAND),
        Row("requests to anywhere but the page's server", str(external), "0", command=COMMAND),
    ]  # fmt: skip


def _watch(operator: Operator, launcher: Launcher) -> tuple[list[dict[str, float]], float]:
    """Return the log of the next updates, and the share of a core that the server took for them."""
    assert launcher.process is not None
    server = psutil.Process(launcher.process.pid)
    operator.page.evaluate("emolab.log.length = 0")
    begun, before = time.monotonic(), server.cpu_times()
    for _ in range(N_UPDATES):
        operator.page.wait_for_timeout(1000)  # asking more often would be part of what is measured
        if operator.page.evaluate("emolab.log.length") >= N_UPDATES:
            break
    took, after = time.monotonic() - begun, server.cpu_times()
    spent = after.user + after.system - before.user - before.system
    return operator.page.evaluate("emolab.log")[:N_UPDATES], spent / took


@contextmanager
def _camera(launcher: Launcher) -> Iterator[None]:
    """Send pictures of a face, made beforehand."""
    portrait, over = Portrait(7, size_px=(1280, 720)), threading.Event()
    pictures = [small_jpeg(portrait.frame(n, n / PICTURES_HZ, State("rest", 0.0)).copy()) for n in range(50)]

    def send() -> None:
        for n in itertools.count():
            if over.wait(1 / PICTURES_HZ):
                return
            launcher.extra.append(Preview(jpeg=pictures[n % len(pictures)], t=time.monotonic()))

    sender = threading.Thread(target=send, name="camera")
    sender.start()
    try:
        yield
    finally:
        over.set()
        sender.join()


def _status(uid: str) -> Status:
    status = scenes.status()
    eeg = msgspec.structs.replace(status.streams[0], uid=uid, kind="eeg")
    return msgspec.structs.replace(status, streams=(eeg, *status.streams[1:]))


@contextmanager
def _device() -> Iterator[str]:
    with subprocess.Popen([sys.executable, "-c", _DEVICE], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()
