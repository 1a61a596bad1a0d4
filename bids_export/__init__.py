"""One clock, one dataset, one verdict: session folders to BIDS."""
