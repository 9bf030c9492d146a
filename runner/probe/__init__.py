"""The payload: runs inside a cell as ``python -m probe``, on Python 3.8 or newer.

It imports nothing of the rest of the project and nothing beyond NumPy, the cell's framework and Keras.
"""
