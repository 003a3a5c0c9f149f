# The graph, its files and its text form. One file a line, alphabetical.
libqcc_a_SOURCES += \
	src/ir/datatype.c \
	src/ir/datatype.h \
	src/ir/float_formats.c \
	src/ir/float_formats.h \
	src/ir/ir.h \
	src/ir/tensor.c \
	src/ir/tensor.h
