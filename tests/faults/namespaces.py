"""Hosts of one machine: network namespaces with a cable between them, each with a clock of its own. Linux, as root."""

import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Host:
    """A host: its namespace, and what goes before a command that is to run there."""

    name: str

    @property
    def within(self) -> tuple[str, ...]:
        """Return the command's first words; the host has a name of its own too, which LSL tells."""
        return ("ip", "netns", "exec", self.name, "unshare", "--uts", "sh", "-c", f'hostname {self.name}; exec "$@"', "sh")

    def ahead(self, seconds: int) -> tuple[str, ...]:
        """Return the same on a clock (LSL's is CLOCK_MONOTONIC) that is ahead by this many seconds."""
        return (*self.within, "unshare", "--time", f"--monotonic={seconds}", "--fork", "--kill-child")


def call(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def permitted(*argv: str) -> None:
    """Do what only root may, or skip the test by name."""
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    done = call(*argv)
    if done.returncode:
        pytest.skip(f"{' '.join(argv)}: {done.stderr.strip()}")


def needs_namespaces() -> None:
    """Skip where the system or our rights do not allow them."""
    if not sys.platform.startswith("linux"):
        pytest.skip("network namespaces are Linux's")
    permitted("ip", "netns", "list")
    permitted("unshare", "--time", "--uts", "--fork", "true")


@contextmanager
def hosts(n: int) -> Iterator[list[Host]]:
    """Yield hosts on one network, apart from all others: nothing that they say leaves the machine."""
    needs_namespaces()
    made = [Host(f"emo{uuid.uuid4().hex[:8]}") for _ in range(n)]
    try:
        for host in made:
            permitted("ip", "netns", "add", host.name)
            permitted(*host.ahead(1), "true")
        _connect(made)
        yield made
    finally:
        for host in made:
            call("ip", "netns", "del", host.name)


def _connect(made: list[Host]) -> None:
    """Put a switch into the first host, and a cable from it to each of the others."""
    first = made[0].name
    lines = [f"ip -n {first} link add cable type bridge", f"ip -n {first} addr add 10.99.0.1/24 dev cable"]
    for i, host in enumerate(made[1:], 2):
        lines += [
            f"ip -n {first} link add plug{i} type veth peer name cable netns {host.name}",
            f"ip -n {first} link set plug{i} master cable up",
            f"ip -n {host.name} addr add 10.99.0.{i}/24 dev cable",
        ]
    for host in made:
        # LSL asks by multicast, which wants a route
        lines += [
            f"ip -n {host.name} link set lo up",
            f"ip -n {host.name} link set cable up",
            f"ip -n {host.name} route add default dev cable",
        ]
    for line in lines:
        permitted(*line.split())
