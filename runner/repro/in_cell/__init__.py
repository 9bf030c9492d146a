"""What `repro` runs in the Python of a cell: nothing here imports the program."""
