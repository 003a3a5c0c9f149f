# The html backend. The page's files become strings in html_text.c; its scripts are one script.
libqcc_la_SOURCES += \
	src/backends/html/backend.c \
	src/backends/html/html.h \
	src/backends/html/live.c \
	src/backends/html/tensors.c
nodist_libqcc_la_SOURCES += src/backends/html/html_text.c

HTML_CODE = \
	src/backends/html/page/model.js \
	src/backends/html/page/layout.js \
	src/backends/html/page/operators.js \
	src/backends/html/page/inference.js \
	src/backends/html/page/drawing.js \
	src/backends/html/page/details.js \
	src/backends/html/page/tables.js \
	src/backends/html/page/main.js
HTML_PARTS = \
	src/backends/html/page/page.html \
	src/backends/html/page/style.css
EXTRA_DIST += $(HTML_PARTS) $(HTML_CODE)
BUILT_SOURCES += src/backends/html/html_text.c
CLEANFILES += src/backends/html/html_text.c

HTML_STRING = sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/'
src/backends/html/html_text.c: $(HTML_PARTS) $(HTML_CODE)
	$(AM_V_GEN)$(MKDIR_P) src/backends/html && { echo '#include "backends/html/html.h"'; \
	echo 'const char html_page[] = ""'; $(HTML_STRING) $(srcdir)/src/backends/html/page/page.html; echo ';'; \
	echo 'const char html_style[] = ""'; $(HTML_STRING) $(srcdir)/src/backends/html/page/style.css; echo ';'; \
	echo 'const char html_script[] = ""'; \
	for f in $(HTML_CODE); do $(HTML_STRING) $(srcdir)/$$f; done; echo ';'; \
	} > $@.tmp && mv $@.tmp $@
