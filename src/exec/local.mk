# The executor. One file a line, alphabetical.
libqcc_la_SOURCES += \
	src/exec/batch.c \
	src/exec/check.c \
	src/exec/exec.c \
	src/exec/exec.h \
	src/exec/plan.c \
	src/exec/plan.h \
	src/exec/polymorphic.c
