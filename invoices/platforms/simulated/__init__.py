"""A platform in a box: a real HTTP server of the interface, for the demonstration and the tests.

It refuses what a real one refuses, and errs on demand as real ones do. It knows neither the database nor the settings
of the portal.
"""
