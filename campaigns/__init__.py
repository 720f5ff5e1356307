"""Long random and kill runs; script and result lie side by side."""
