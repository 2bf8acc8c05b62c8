"""The document of an invoice: rendered once, its versions, its ZIP, its previews, who read it."""
