"""Nothing of ONNX is written; the flag is AIMET's, and changes nothing."""

__all__ = ["EXPORT_TO_ONNX_DIRECT"]

EXPORT_TO_ONNX_DIRECT = False
