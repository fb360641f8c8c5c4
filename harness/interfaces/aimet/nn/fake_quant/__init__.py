"""The name under which AIMET 2 had quantized modules without kernels."""
