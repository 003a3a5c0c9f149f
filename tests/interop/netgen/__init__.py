"""Random quantised networks, and what qcc makes of them, against qonnx.

spec.py   draws a network as plain data from a seed
build.py  makes the ONNX model and its inputs from that data
check.py  runs it through qonnx and qcc and compares
shrink.py finds a smaller network that fails in the same way
"""
