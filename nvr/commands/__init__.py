"""One module a command, imported when it runs: a recorder must not load what others need."""
