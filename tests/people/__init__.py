"""People: names, accounts, credentials, organisations."""
