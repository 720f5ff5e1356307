"""Real, unmodified clients over real sockets; nothing recorded, nothing mocked."""
