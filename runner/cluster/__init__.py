"""Runs a plan on more than one machine, with Dask (the extra ``cluster``).

The unit is a *share*: cells that stay together on one worker, and the probes that run in them. A worker runs a share
as ``runner matrix`` runs its cells. The machine that asked fetches the files of results and stores them.

``shares``, ``dispatch``, ``address`` and ``request`` are pure. ``asking`` is the side that asks, ``worker`` and
``hand`` are the side that works, ``launch`` starts workers.
"""
