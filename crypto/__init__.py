"""Sealing and unsealing in the age v1 format. Knows nothing of cameras, files or threads."""
