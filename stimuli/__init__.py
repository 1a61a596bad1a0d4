"""Clips: what they are, where they come from, and whether they are what the manifest says."""
