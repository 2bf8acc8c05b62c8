"""The customers' space: the pages that customers see."""
