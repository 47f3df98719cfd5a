"""The vocabulary: frozen types, life tables, scopes. Imports nothing of ours, does no I/O, reads no clock."""
