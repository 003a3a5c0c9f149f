# Training. One file a line, alphabetical.
libqcc_la_SOURCES += \
	src/train/activation.c \
	src/train/arch.c \
	src/train/arch.h \
	src/train/batch_norm.c \
	src/train/checkpoint.c \
	src/train/conv.c \
	src/train/crew.c \
	src/train/crew.h \
	src/train/dropout.c \
	src/train/export.c \
	src/train/export.h \
	src/train/history.c \
	src/train/import.c \
	src/train/import.h \
	src/train/kernel_loops.h \
	src/train/kernels.c \
	src/train/kernels.h \
	src/train/layers.def \
	src/train/linear.c \
	src/train/loss.c \
	src/train/loss.h \
	src/train/net.c \
	src/train/net.h \
	src/train/optimiser.c \
	src/train/optimiser.h \
	src/train/pool.c \
	src/train/quantise.c \
	src/train/quantise.h \
	src/train/random.h \
	src/train/sparse.c \
	src/train/sparse.h \
	src/train/trainer.c \
	src/train/trainer.h
