"""An import: files of an ERP, checked, then written."""
