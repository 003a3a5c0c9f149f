/* libqcc: the compiler as a library. All state lives in the objects passed in; nothing prints or exits.
 *
 *     struct qcc_model *m = qcc_load("model.onnx", &error);
 *     if (m && qcc_run(m, "streamline,fold", &error) == 0)
 *             qcc_write(m, "model.finn.onnx", &error);
 *     qcc_free(m);
 */
#ifndef QCC_QCC_H
#define QCC_QCC_H

#ifdef __cplusplus
extern "C" {
#endif

const char *qcc_version(void);

#ifdef __cplusplus
}
#endif

#endif
