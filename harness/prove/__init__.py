"""For all inputs: a fourth witness, which says of *every* input what the others say of many."""
