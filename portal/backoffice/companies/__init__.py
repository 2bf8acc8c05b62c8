"""Paramétrage société: the form and its preview."""
