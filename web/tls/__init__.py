"""The dashboard's certificate: made and renewed here for this host alone, or a file of the user's own."""
