"""Everything that needs an identity. Nothing that records or serves may import from here."""
