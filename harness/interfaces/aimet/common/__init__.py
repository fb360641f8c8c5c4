"""What ``aimet_common`` had for all frameworks, as far as quantizers need it."""
