"""The Git store, without users and HTTP."""
