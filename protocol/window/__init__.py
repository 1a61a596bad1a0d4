"""The only place that imports PsychoPy."""
