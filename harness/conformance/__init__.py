"""The judge of the field: libraries held against golden vectors and the headers, in levels."""
