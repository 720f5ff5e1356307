"""The command as people run it: a process of its own."""
