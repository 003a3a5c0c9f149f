# Backends, a folder each. One file a line, alphabetical.
libqcc_a_SOURCES += \
	src/backends/backend.c \
	src/backends/backend.h \
	src/backends/backends.def
