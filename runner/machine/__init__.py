"""Facts about this machine, and the checks of `runner doctor`."""
