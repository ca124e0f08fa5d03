"""Shows the same facts as the API to people: pages that the server renders, and that need no script."""
