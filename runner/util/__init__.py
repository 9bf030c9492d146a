"""What every other package builds on: TOML, folders, files, versions, commands."""
