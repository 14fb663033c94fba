"""The household: who its members are, and to whom footage is sealed, as a signed and versioned manifest.

Nobody's word is taken for it, least of all the box's: each version is signed by an owner of the one before.
"""
