# Operators. One file a line, alphabetical.
libqcc_a_SOURCES += \
	src/ops/op.h \
	src/ops/ops.def
