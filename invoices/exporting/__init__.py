"""An export: what is asked, what can leave, the list, its run, its report."""
