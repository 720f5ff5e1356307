"""One typed value per page, and the frame around all of them."""
