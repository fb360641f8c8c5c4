"""C++ functions: read by libclang, wrapped, compiled."""
