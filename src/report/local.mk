# The report: what was done and what came out. One file a line, alphabetical.
libqcc_la_SOURCES += \
	src/report/groups.c \
	src/report/history.c \
	src/report/history.h \
	src/report/json.c \
	src/report/picture.h \
	src/report/report.c \
	src/report/report.h \
	src/report/roles.c \
	src/report/table.c
