"""``python -P -m collector.twin``: the same as ``emo-twin``."""

from collector.twin.cli import main

main()
