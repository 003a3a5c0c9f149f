# The executor. One file a line, alphabetical.
libqcc_a_SOURCES += \
	src/exec/exec.h
