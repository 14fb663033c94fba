"""The real counterparts that the tests talk to: footage, cameras, file systems.

Nothing here imports the code under test, so that a fault in it cannot hide in the counterpart as well.
"""
