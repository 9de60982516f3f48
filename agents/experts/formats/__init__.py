"""Files of fitted models: each format is a module and an entry of the table in `files`; no pickle is ever loaded."""
