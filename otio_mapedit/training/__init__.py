"""Making, training, exporting and measuring the networks; the only home of torch.

``corpus`` reads the material, ``unedit`` cuts it up at random and keeps the truth, ``network`` is
what learns, ``train`` teaches it, ``export`` writes the ONNX file, ``evaluate`` measures.
Importing this package loads nothing.
"""
