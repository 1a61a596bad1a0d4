"""The preflight: what can be wrong before a session is found while it can still be mended.

Measuring is kept apart from judging, which is pure; what each finding does to a start stands in one table (``rules``), what it
says to people in one for each language (``words_en``, ``words_vi``).
"""
