"""Where the configurations are that come with the package: they go by name."""

__all__ = ["get_path_for_per_channel_config", "get_path_for_per_tensor_config"]


def get_path_for_per_channel_config() -> str:
    """The configuration whose parameters are quantized channel by channel."""
    return "default_per_channel"


def get_path_for_per_tensor_config() -> str:
    """The configuration whose tensors are quantized whole."""
    return "default"
