# Operators. One file a line, alphabetical.
libqcc_a_SOURCES += \
	src/ops/average_pool.c \
	src/ops/batch_normalization.c \
	src/ops/bipolar_quant.c \
	src/ops/broadcast.h \
	src/ops/channels.c \
	src/ops/channels.h \
	src/ops/conv.c \
	src/ops/conv_kernel.c \
	src/ops/conv_kernel.h \
	src/ops/conv_loops.h \
	src/ops/gemm.c \
	src/ops/gemm_kernel.c \
	src/ops/gemm_kernel.h \
	src/ops/gemm_loops.h \
	src/ops/mat_mul.c \
	src/ops/mat_mul.h \
	src/ops/max_pool.c \
	src/ops/multi_threshold.c \
	src/ops/op.h \
	src/ops/ops.def \
	src/ops/pool.c \
	src/ops/pool.h \
	src/ops/pool_loops.h \
	src/ops/products.c \
	src/ops/products.h \
	src/ops/quant.c \
	src/ops/quant_loops.h \
	src/ops/real_loops.h \
	src/ops/rounding.c \
	src/ops/rounding.h \
	src/ops/threshold_loops.h \
	src/ops/window.c \
	src/ops/window.h
