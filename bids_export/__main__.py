"""``python -P -m bids_export export DATA BIDS_ROOT``: what the launcher and other rooms start."""

from bids_export.cli import main

main()
