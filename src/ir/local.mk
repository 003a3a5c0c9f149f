# The graph, its files and its text form. One file a line, alphabetical.
libqcc_la_SOURCES += \
	src/ir/attr.c \
	src/ir/budget.c \
	src/ir/copy.c \
	src/ir/datatype.c \
	src/ir/datatype.h \
	src/ir/float_formats.c \
	src/ir/float_formats.h \
	src/ir/graph.c \
	src/ir/infer.c \
	src/ir/ir.h \
	src/ir/node_diag.c \
	src/ir/npy.c \
	src/ir/npy.h \
	src/ir/npz_write.c \
	src/ir/onnx.h \
	src/ir/onnx_emit.c \
	src/ir/onnx_emit.h \
	src/ir/onnx_names.c \
	src/ir/onnx_names.h \
	src/ir/onnx_node.c \
	src/ir/onnx_read.c \
	src/ir/onnx_tensor.c \
	src/ir/onnx_value.c \
	src/ir/onnx_write.c \
	src/ir/op.h \
	src/ir/origin.c \
	src/ir/tensor.c \
	src/ir/tensor.h \
	src/ir/text_attr.c \
	src/ir/text_lex.c \
	src/ir/text_lex.h \
	src/ir/text_parse.c \
	src/ir/text_parse.h \
	src/ir/text_print.c \
	src/ir/text_types.c \
	src/ir/verify.c \
	src/ir/wire.c \
	src/ir/wire.h

if WITHOUT_ZIP
libqcc_la_SOURCES += src/ir/npz_none.c
else
libqcc_la_SOURCES += src/ir/npz.c
endif
