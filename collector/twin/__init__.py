"""A laboratory without hardware, through the real doors."""
