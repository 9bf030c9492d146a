"""A user's script in chosen cells: which environments are meant, how the script ran there, what differed."""
