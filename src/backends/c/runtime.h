/* Texts that go into generated code as they are: files of src/backends/c/runtime/ as strings, made by the
 * build (runtime_text.c). */
#ifndef QCC_BACKENDS_C_RUNTIME_H
#define QCC_BACKENDS_C_RUNTIME_H

extern const char runtime_main[], runtime_packed[], runtime_tiny[];

#endif
