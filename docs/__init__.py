"""The project's pages, and what makes and tries them."""
