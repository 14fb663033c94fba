"""The chain: what a camera recorded, hashed one after the other and signed, so that nobody can rewrite it.

Nothing here opens footage or needs an identity. `log` writes, `verify` judges.

Each record says all of itself, and each signature covers the START of its file (device, camera, number): so a
slice of a chain can begin anywhere, and nobody can shift it in time, in sequence or to another camera.
"""
