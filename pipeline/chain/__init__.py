"""The chain: what a camera recorded, hashed one after the other and signed, so that nobody can rewrite it.

Nothing here opens footage or needs an identity.

A signature covers the head, the time, and the state that records are relative to (sequences, ends, streams):
so a slice of a chain can begin at any signature, and nobody can shift what follows in time or in sequence.
"""
