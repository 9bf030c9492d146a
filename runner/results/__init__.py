"""Result files: samples on disk, their schema, and the samples of other tools."""
