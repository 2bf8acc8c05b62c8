"""Pages of the customers' space, one module per subject."""
