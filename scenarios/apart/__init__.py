"""More scenarios of models trained apart: a file each, as beside the rooms; read, and never imported."""
