/* The files around the network: header, constants, main, test bench, build fragments. */
#ifndef QCC_BACKENDS_C_FILES_H
#define QCC_BACKENDS_C_FILES_H

#include "backends/c/emit.h"

/* All files, from the texts of e's output. 0, or -1 with diagnostics. */
int emit_files(struct emit *e);
void emit_parameters(struct emit *e, struct strbuf *b);	      /* "const NAME_input0 *in0, NAME_output0 *out0, " */
void emit_entry_parameters(struct emit *e, struct strbuf *b); /* the same of NAME_run_SUFFIX */
/* A line that calls NAME_run with in0, ..., out0, ... and scratch, behind that text. */
void emit_run_call(struct emit *e, struct strbuf *b, const char *before);
/* The real number that element k of out<i> stands for, as an expression. */
const char *real_output(struct emit *e, size_t i);
int emit_buffer(struct emit *e, const char *suffix, struct strbuf *b); /* writes file NAMEsuffix and frees b */
int write_dispatch(struct emit *e);				       /* dispatch.c */
void run_functions(struct emit *e, struct strbuf *b);		       /* NAME_run (entries.c) */
void batch_functions(struct emit *e, struct strbuf *b);		       /* NAME_run_batch */
int write_main(struct emit *e);					       /* main_file.c */
int write_library(struct emit *e);				       /* library.c */
const char *library_folder(struct emit *e, const char *name);	       /* where a library has the file of that name */
int write_testbench(struct emit *e);				       /* testbench.c */
int emit_text_file(struct emit *e, const char *name, const char *text, size_t size);
/* The same, of a buffer that is freed. */
int emit_strbuf_file(struct emit *e, const char *name, struct strbuf *b);

#endif
