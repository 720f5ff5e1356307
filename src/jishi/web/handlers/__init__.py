"""Who answers for which page, by noun."""
