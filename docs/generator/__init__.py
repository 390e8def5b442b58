"""Pages made from code: one module per page, each with `page()`, which gives the whole text."""
