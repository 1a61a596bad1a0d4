"""The recognisers of the EEG."""
