"""Facts written back as DDL. Pure: keys and values in, statements out."""
