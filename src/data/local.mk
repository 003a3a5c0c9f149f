# Tables as bits. One file a line, alphabetical.
libqcc_la_SOURCES += \
	src/data/csv.c \
	src/data/csv.h \
	src/data/csv_each.c \
	src/data/dataset.c \
	src/data/dataset.h \
	src/data/encode.c \
	src/data/encode.h \
	src/data/encoding.c \
	src/data/encoding.h \
	src/data/fit.c \
	src/data/metrics.c \
	src/data/metrics.h \
	src/data/number.c \
	src/data/number.h \
	src/data/predict.c \
	src/data/predict.h \
	src/data/problems.c \
	src/data/problems.h \
	src/data/table.c \
	src/data/table.h
