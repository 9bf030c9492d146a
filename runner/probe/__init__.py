"""Holds the payload, which runs inside a cell as ``python -m probe``.

It runs on Python 3.8 or newer.

It imports nothing of the rest of the project and nothing beyond NumPy, the cell's framework and Keras.
"""
