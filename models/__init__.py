"""Recognisers, fusion and labels, from a BIDS root alone."""
