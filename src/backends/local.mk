# Backends, a folder each. One file a line, alphabetical.
include src/backends/c/local.mk
include src/backends/hls/local.mk
include src/backends/html/local.mk
include src/backends/verilog/local.mk
libqcc_la_SOURCES += \
	src/backends/backend.c \
	src/backends/backend.h \
	src/backends/backends.def \
	src/backends/dot/backend.c \
	src/backends/dot/dot.c \
	src/backends/dot/dot.h \
	src/backends/dot/label.c \
	src/backends/dot/picture.h \
	src/backends/dot/selection.c \
	src/backends/finn/finn.c \
	src/backends/finn/plus.c \
	src/backends/finn/plus.h

if WITHOUT_GRAPHVIZ
libqcc_la_SOURCES += src/backends/dot/render_none.c
else
libqcc_la_SOURCES += src/backends/dot/render.c
endif
