"""The chain: what a camera recorded, hashed one after the other and signed, so that nobody can rewrite it.

Nothing here opens footage or needs an identity.
"""
