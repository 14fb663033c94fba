"""The watcher: looking at all cameras in one process. Here the stages of looking meet."""
