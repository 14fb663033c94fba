"""The command `nvr`: configuration, processes, and everything that needs an identity."""
