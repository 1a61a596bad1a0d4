"""What keeps the window from opening."""


class WindowError(ValueError):
    """The window cannot open as asked; one line with the cure."""
