# The public face of libqcc. One file a line, alphabetical.
libqcc_la_SOURCES += \
	src/api/api.h \
	src/api/execute.c \
	src/api/guard.c \
	src/api/inspect.c \
	src/api/model.c
