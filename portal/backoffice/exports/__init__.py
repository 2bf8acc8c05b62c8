"""Export WEB › Factures: the selection, the list to export, its run, the lists of before."""
