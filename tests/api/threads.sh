#!/bin/sh
# libqcc in several threads (threads.c).
: "${QCC_SRC:=$(cd "$(dirname "$0")/../.." && pwd)}"
"$(dirname "$QCC")/tests/api/threads" "$QCC_SRC/models/mlp_2w2a/model.onnx"
