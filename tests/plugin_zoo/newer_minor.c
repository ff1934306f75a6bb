/* Speaks a newer minor version: it only adds, so it is taken. */
#define ZOO_MINOR 7
#include "zoo.h"
