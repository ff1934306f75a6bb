/* A factory that makes nothing. */
#define ZOO_CREATE NULL
#include "zoo.h"
