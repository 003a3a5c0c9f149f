# Pipelines and scripts. One file a line, alphabetical.
libqcc_a_SOURCES += \
	src/pipeline/pipeline.h
