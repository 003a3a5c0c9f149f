# What everything else stands on. One file a line, alphabetical.
libqcc_la_SOURCES += \
	src/util/arena.c \
	src/util/arena.h \
	src/util/base64.c \
	src/util/base64.h \
	src/util/blob.c \
	src/util/blob.h \
	src/util/crc32.c \
	src/util/crc32.h \
	src/util/diag.c \
	src/util/diag.h \
	src/util/file.c \
	src/util/file.h \
	src/util/identifier.c \
	src/util/identifier.h \
	src/util/integers.h \
	src/util/library.c \
	src/util/library.h \
	src/util/limits.c \
	src/util/limits.h \
	src/util/map.c \
	src/util/map.h \
	src/util/memory.c \
	src/util/memory.h \
	src/util/nearest.c \
	src/util/nearest.h \
	src/util/options.c \
	src/util/options.h \
	src/util/requantise.c \
	src/util/requantise.h \
	src/util/output.c \
	src/util/output.h \
	src/util/strbuf.c \
	src/util/strbuf.h \
	src/util/tree.c \
	src/util/tree.h \
	src/util/vec.h
