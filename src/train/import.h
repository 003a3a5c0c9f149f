/* Named arrays from files (.npz, .safetensors) onto the parameters of a network. */
#ifndef QCC_TRAIN_IMPORT_H
#define QCC_TRAIN_IMPORT_H

#include "train/net.h"

/* Puts the arrays of the file into the network. Arrays go by module: what stands before the last dot of a name, in the
 * order of the file ("features.3.weight" belongs to features.3); modules with a weight or a scale go to the network's
 * layers with parameters one after the other. Weights of linear layers are outputs x inputs, as PyTorch has them. What is
 * missing or superfluous is said name by name: missing arrays are an error, superfluous ones a warning. 0 or -1. */
int import_weights(struct net *n, const char *path, struct diags *d);

#endif
