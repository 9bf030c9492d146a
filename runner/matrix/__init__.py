"""The cells of a set, what each release needs, and the plan of a run. Pure."""
