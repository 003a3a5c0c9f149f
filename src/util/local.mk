# What everything else stands on. One file a line, alphabetical.
libqcc_a_SOURCES += \
	src/util/arena.c \
	src/util/arena.h \
	src/util/diag.c \
	src/util/diag.h \
	src/util/file.c \
	src/util/file.h \
	src/util/map.c \
	src/util/map.h \
	src/util/npy.c \
	src/util/npy.h \
	src/util/strbuf.c \
	src/util/strbuf.h \
	src/util/vec.h
