/* libqcc: the compiler as a library. All state lives in the model passed in; nothing prints or exits. One model belongs
 * to one thread at a time; several models in several threads are fine.
 *
 *     struct qcc_model *m = qcc_load("model.onnx");
 *     if (qcc_run(m, "streamline,fold") == 0 && qcc_emit(m, "finn,c", "out") == 0)
 *             puts("done");
 *     else
 *             fputs(qcc_messages(m), stderr);
 *     qcc_free(m);
 */
#ifndef QCC_QCC_H
#define QCC_QCC_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define QCC_API __attribute__((visibility("default")))
#else
#define QCC_API
#endif

struct qcc_model;

QCC_API const char *qcc_version(void);

/* Reads a network. Never NULL: where reading failed, all other calls fail too and qcc_messages says why. */
QCC_API struct qcc_model *qcc_load(const char *path);
QCC_API void qcc_free(struct qcc_model *m); /* NULL is fine */

/* Runs passes, as behind `qcc -p`. 0, or -1. */
QCC_API int qcc_run(struct qcc_model *m, const char *passes);
/* Writes through backends, as behind `qcc -b` (NULL: all that the graph allows), below a folder that is made where
 * missing. 0, or -1. */
QCC_API int qcc_emit(struct qcc_model *m, const char *backends, const char *dir);
/* Writes an ONNX file. 0, or -1. */
QCC_API int qcc_write(struct qcc_model *m, const char *path);
/* How many nodes of that operator; all where op_type is NULL. */
QCC_API size_t qcc_count(const struct qcc_model *m, const char *op_type);
/* Errors, warnings and notes so far, a line each; "" where there were none. Valid until the next call. */
QCC_API const char *qcc_messages(struct qcc_model *m);

#ifdef __cplusplus
}
#endif

#endif
