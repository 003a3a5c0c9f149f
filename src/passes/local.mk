# Passes. One file a line, alphabetical.
libqcc_a_SOURCES += \
	src/passes/aliases.def \
	src/passes/pass.c \
	src/passes/pass.h \
	src/passes/passes.def
