"""Importer: the ERP's files, given and confirmed."""
