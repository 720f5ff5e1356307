"""The server is killed while real clients work; what they were told must be true."""
