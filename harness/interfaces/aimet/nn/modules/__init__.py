"""Operations as modules."""
