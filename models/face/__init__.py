"""The recogniser of the face."""
