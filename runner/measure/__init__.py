"""Runs the planned probes in their environments and stores one sample per process."""
