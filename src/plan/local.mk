# From a graph to buffers and loops for generated code. One file a line, alphabetical.
libqcc_la_SOURCES += \
	src/plan/batch.c \
	src/plan/cast.c \
	src/plan/form.c \
	src/plan/hw.c \
	src/plan/lower.c \
	src/plan/lower.h \
	src/plan/lowerings.def \
	src/plan/mac.c \
	src/plan/move.c \
	src/plan/order.c \
	src/plan/plan.c \
	src/plan/plan.h \
	src/plan/product.c \
	src/plan/reduce.c \
	src/plan/simple.c \
	src/plan/activation.c \
	src/plan/unary.c
