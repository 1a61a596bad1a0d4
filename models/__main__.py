"""``python -P -m models``: the same as ``emo-train``."""

from models.cli import train_main

train_main()
