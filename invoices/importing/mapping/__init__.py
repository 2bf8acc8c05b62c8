"""Tables whose header is not ours: what each column is proposed to be, kept mappings, flat tables read as ours."""
