"""The quality report: what a recording, and a group of recordings, is worth, for people and as JSON."""
