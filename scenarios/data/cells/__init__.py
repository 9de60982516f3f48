"""Files of rows as columns of cells, what cells of text mean as numbers, and which columns are no features."""
