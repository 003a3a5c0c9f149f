# The ONNX schema; protoc-c turns it into C in the build folder (include it as "proto/onnx.pb-c.h").
EXTRA_DIST += proto/onnx.proto
BUILT_SOURCES += proto/onnx.pb-c.h
nodist_libqcc_la_SOURCES += proto/onnx.pb-c.c
CLEANFILES += proto/onnx.pb-c.c proto/onnx.pb-c.h

proto/onnx.pb-c.c: proto/onnx.proto
	$(AM_V_GEN)$(MKDIR_P) proto && $(PROTOC_C) --proto_path=$(top_srcdir) --c_out=. $(top_srcdir)/proto/onnx.proto
proto/onnx.pb-c.h: proto/onnx.pb-c.c
	@test -f $@ || { rm -f $<; $(MAKE) $(AM_MAKEFLAGS) $<; }

$(libqcc_la_OBJECTS): proto/onnx.pb-c.h
