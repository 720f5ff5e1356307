"""Large contents: registration, LFS, sources of bytes."""
