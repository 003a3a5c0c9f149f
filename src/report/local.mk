# The report: what was done and what came out. One file a line, alphabetical.
libqcc_la_SOURCES += \
	src/report/json.c \
	src/report/report.c \
	src/report/report.h \
	src/report/table.c
