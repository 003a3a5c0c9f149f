# The HLS backend. Texts of templates/, which go into generated designs, become strings in hls_text.c.
libqcc_la_SOURCES += \
	src/backends/hls/backend.c \
	src/backends/hls/files.c \
	src/backends/hls/hls.h \
	src/backends/hls/host.c \
	src/backends/hls/params.c \
	src/backends/hls/design.c \
	src/backends/hls/top.c
nodist_libqcc_la_SOURCES += src/backends/hls/hls_text.c

HLS_TEMPLATES = \
	src/backends/hls/templates/ap_axi_sdata.h \
	src/backends/hls/templates/hls_stream.h \
	src/backends/hls/templates/npy.h \
	src/backends/hls/templates/qcc_layers.h
EXTRA_DIST += $(HLS_TEMPLATES)
BUILT_SOURCES += src/backends/hls/hls_text.c
CLEANFILES += src/backends/hls/hls_text.c

src/backends/hls/hls_text.c: $(HLS_TEMPLATES)
	$(AM_V_GEN)$(MKDIR_P) src/backends/hls && { echo '#include "backends/hls/hls.h"'; \
	for f in ap_axi_sdata hls_stream npy qcc_layers; do \
		echo "const char hls_text_$$f[] = \"\""; \
		sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $(srcdir)/src/backends/hls/templates/$$f.h; \
		echo ';'; \
	done; } > $@.tmp && mv $@.tmp $@
