"""RTL modules: their ports and protocols, verilated, and golden vectors replayed on them."""
