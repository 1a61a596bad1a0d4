"""What the participant sees, when: study file, schedule, session, window."""
