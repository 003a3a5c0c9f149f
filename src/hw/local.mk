# Hardware layers: geometry, cost, search, reports. One file a line, alphabetical.
libqcc_la_SOURCES += \
	src/hw/config.c \
	src/hw/cost.c \
	src/hw/folding.c \
	src/hw/folding.h \
	src/hw/hw.h \
	src/hw/layer.c \
	src/hw/offers.c \
	src/hw/padding.c \
	src/hw/pareto.c \
	src/hw/parts.c \
	src/hw/report.c \
	src/hw/schedule.c \
	src/hw/schedule.h \
	src/hw/search.c \
	src/hw/search.h
