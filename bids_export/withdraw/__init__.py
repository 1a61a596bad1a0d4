"""One participant's bytes, everywhere: what ``emo-withdraw`` does."""
