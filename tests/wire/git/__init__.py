"""Git over HTTP and LFS."""
