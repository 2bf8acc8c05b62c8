"""The run of an export: lines claimed, rendered, frozen, published, announced."""
