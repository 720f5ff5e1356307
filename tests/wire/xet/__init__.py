"""The chunk store on the wire."""
