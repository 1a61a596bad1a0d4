"""The participant window: the only place that imports PsychoPy.

Everything that can be decided without a screen is pure and lies in files of its own (layout, pictures, sam, playhead,
pacing, decode); only display.py and sound.py touch PsychoPy and PsychPortAudio.
"""
